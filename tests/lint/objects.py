"""What object files define and refer to, by one run of nm."""
import subprocess


def symbols(objects):
    """{object: (names that it defines, names that it refers to)}; versions ("memcpy@GLIBC_2.14") are cut off."""
    found = {str(obj): (set(), set()) for obj in objects}
    if not found:
        return found
    # with -A each line starts with "FILE: "
    output = subprocess.run(["nm", "-A", "-P", "-g", *found], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        obj, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        found[obj][kind in "Uwv"].add(name.split("@")[0])
    return found
