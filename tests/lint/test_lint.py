"""The lints find what they are there to find: each test plants one violation."""
import subprocess

import pytest

import circles
import error_texts
import exports
import links
import newest_regions
import promises
import prose
import purity
import statics
import tidy
import walls

TABLE = """
set @libc = string.h stdio.h
lib/pure.*  : lib/util/* @libc
lib/*       : lib/*.h @libc <curl/*>
daemon/*    : lib/*.h daemon/*.h <sys/*>
"""


@pytest.fixture
def tree(tmp_path):
    """Writes files and returns their root."""
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path
    (tmp_path / "lib").mkdir()
    (tmp_path / "daemon").mkdir()
    return write


@pytest.mark.parametrize("file, text, expected", [
    ("lib/pure.c", '#include "lib/pure.h"\n#include <string.h>\n#include "lib/util/x.h"\n', None),
    ("lib/pure.c", "#include <string.h>\n#include <curl/curl.h>\n", "lib/pure.c:2: may not include <curl/curl.h>"),
    ("lib/pure.c", '  #  include "lib/other.h"\n', "lib/pure.c:1: may not include lib/other.h"),
    ("lib/pure.h", "#include <time.h>\n", "lib/pure.h:1: may not include <time.h>"),
    ("lib/other.c", '#include "daemon/core/guard.h"\n', "lib/other.c:1: may not include daemon/core/guard.h"),
    ("lib/other.c", '#include "../daemon/core/guard.h"\n', "lib/other.c:1: may not include ../daemon/core/guard.h"),
    ("lib/other.c", "#include <curl/curl.h>\n", None),
    ("daemon/x.c", "#include <sys/stat.h>\n", None),
])
def test_walls(tree, tmp_path, capsys, file, text, expected):
    root = tree({file: text, "table": TABLE})
    assert walls.main(root, root / "table") == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


def test_walls_want_a_line_for_every_file(tree, capsys):
    root = tree({"lib/new/x.c": "", "table": "daemon/* : <string.h>\n"})
    assert walls.main(root, root / "table") == 1
    assert "no line of includes.table" in capsys.readouterr().err


def test_walls_want_files(tree):
    root = tree({"table": TABLE})
    assert walls.main(root, root / "table") == 1


def test_every_row_of_the_real_tables_can_be_read():
    assert len(walls.read_table(walls.TABLE)) > 20
    assert len(purity.read_table(purity.TABLE)) > 5


@pytest.mark.parametrize("body, expected", [
    ("#include <string.h>\nsize_t f(const char *s) { return strlen(s); }", None),
    ("int g(void);\nint f(void) { return g(); }", None),
    ("#include <time.h>\nlong f(void) { return time(NULL); }", "calls time"),
    ("#include <stdlib.h>\nchar *f(void) { return getenv(\"HOME\"); }", "calls getenv"),
    ("#include <stdio.h>\nvoid f(void) { puts(\"x\"); }", "calls puts"),
    ("#include <errno.h>\nint f(void) { return errno; }", "calls __errno_location"),
])
def test_purity(tree, capsys, body, expected):
    root = tree({"daemon/pure.c": body, "daemon/other.c": "int g(void) { return 1; }\n",
                 "table": "set str = strlen\ndaemon/*.c : str\n"})
    (root / "build/daemon").mkdir(parents=True)
    for name in ("pure", "other"):
        subprocess.run(["gcc", "-O2", "-c", "-o", root / f"build/daemon/{name}.o", root / f"daemon/{name}.c"], check=True)
    assert purity.main(root / "build", root, root / "table") == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


HEADER = "int {0}(void);\n"
CALLER = '#include "daemon/{1}.h"\nint {0}(void) {{ return {1}(); }}\n'


@pytest.mark.parametrize("files, expected", [
    ({"daemon/a.c": CALLER.format("a", "b"), "daemon/b.c": CALLER.format("b", "c"), "daemon/c.c": "int c(void) { return 1; }\n"}, None),
    ({"daemon/a.c": CALLER.format("a", "b"), "daemon/b.c": CALLER.format("b", "c"), "daemon/c.c": CALLER.format("c", "a")},
     "daemon/a.c, daemon/b.c, daemon/c.c: call each other"),
    ({"daemon/a.h": '#pragma once\n#include "daemon/b.h"\n', "daemon/b.h": '#pragma once\n#include "daemon/a.h"\n'},
     "daemon/a.h, daemon/b.h: include each other"),
])
def test_circles(tree, capsys, files, expected):
    root = tree({**{f"daemon/{name}.h": HEADER.format(name) for name in "abc"}, **files})
    (root / "build/daemon").mkdir(parents=True)
    for source in root.glob("daemon/*.c"):
        subprocess.run(["gcc", "-I", root, "-c", "-o", root / f"build/daemon/{source.stem}.o", source], check=True)
    assert circles.main(root / "build", root) == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


def test_purity_wants_the_objects(tree):
    root = tree({"daemon/pure.c": "", "table": "set str = strlen\ndaemon/*.c : str\n"})
    assert purity.main(root / "build", root, root / "table") == 1


@pytest.mark.parametrize("file, text, expected", [
    ("lib/x.c", "int x;\n", None),
    ("lib/x.c", "/* TO" "DO: later */\n", "unfinished"),
    ("tools/x", "#!/bin/sh\n# FIX" "ME\n", "unfinished"),
    ("tests/x.sh", "run || tru" "e\n", "hides a failure"),
    ("tests/x.py", "assert Tru" "e\n", "cannot fail"),
    ("tests/x.c", "assert_true(1" ");\n", "cannot fail"),
    ("tests/unit/x.c", "assert_in_range(n, 1, 2);\n", "cmocka 2.0 deprecates assert_in_range"),
    ("tests/unit/x.c", "expect_value(f, n, 1);\n", "cmocka 2.0 deprecates expect_value"),
    ("tests/unit/x.c", "assert_between(n, 1, 2); will_return(f, 1);\n", None),
    ("tests/x.py", "except Exception: pas" "s\n", "swallows"),
    ("docs/x.md", "see /wor" "k/notes\n", "own machine"),
    ("docs/x.md", "see /hom" "e/me/notes\n", "own machine"),
    ("README.md", "see ." "./other/x.md\n", "leaves the repository"),
    ("docs/x.md", "see ." "./README.md\n", None),
    ("conf/x.json", "{,}\n", "x.json"),
    ("lib/x.c", "int x; \n", "space at the end"),
    ("lib/x.c", "\tint x;\n", "tab"),
    ("lib/x.c", "int x;", "no newline"),
    ("daemon/core/x.h", "/*" + "x" * 105 + "*/\n", None),
    ("daemon/core/x.h", "/*" + "x" * 106 + "*/\n", "daemon/core/x.h:1: 110 columns, over 109"),
    ("tests/unit/x.c", "/*" + "x" * 106 + "*/\n", "tests/unit/x.c:1: 110 columns, over 109"),
    ("daemon/core/x.h", "int x;\n" * 700, None),
    ("daemon/core/x.h", "int x;\n" * 701, "daemon/core/x.h: 701 lines, over 700"),
    ("tests/unit/x.c", "int x;\n" * 701, None),
    ("tests/fuzz/corpus/x/1.json", "{,", None),
])
def test_tidy(tree, capsys, file, text, expected):
    root = tree({file: text})
    subprocess.run(["git", "init", "-q", root], check=True)
    # an input alone is no tree to check
    tree({"lib/ok.h": "#pragma once\n"})
    assert tidy.main(root) == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


def test_tidy_warns_of_long_files(tree, capsys):
    root = tree({"lib/x.c": "int x;\n" * 601})
    subprocess.run(["git", "init", "-q", root], check=True)
    assert tidy.main(root) == 0
    assert "lib/x.c: warning: over 600 lines" in capsys.readouterr().err


@pytest.mark.parametrize("file, text, expected", [
    ("docs/x.md", "The daemon was told.\n", "docs/x.md:1: 'told' is not of the vocabulary"),
    ("docs/x.md", "Look at the bucket.\n", None),
    ("docs/man/x.8", "It looks at the trail.\n", "docs/man/x.8:1: 'looks at'"),
    ("daemon/x.c", 'log_line(LOG_ERR, "made anew");\n', "daemon/x.c:1: 'anew'"),
    ("daemon/x.c", 'MEMBER(told, "told"); /* told */\n', None),
    ("docs/x.md", "x " * 61 + "\n", "docs/x.md:1: 122 columns; at most 120"),
    ("docs/x.md", "| " + "x " * 51 + "|\n", "docs/x.md:1: a cell of more than 100 columns"),
    ("docs/x.md", "| x " * 40 + "|\n", None),
])
def test_prose(tree, capsys, file, text, expected):
    root = tree({file: text})
    subprocess.run(["git", "init", "-q", root], check=True)
    assert prose.main(root) == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


@pytest.mark.parametrize("text, expected", [
    ("[a](y.md), [b](y.md#two-words), [c](#here), [d](../docs/y.md 'x') and <https://example.com/x>\n# Here\n", None),
    ("[a](z.md)\n", "docs/x.md:1: z.md: no such file"),
    ("![a](z.svg)\n", "docs/x.md:1: z.svg: no such file"),
    ("[a](y.md#other)\n", "docs/x.md:1: y.md#other: no such heading"),
    ("x\n\n[a](#gone)\n", "docs/x.md:3: #gone: no such heading"),
    ("[two\nlines](z.md)\n", "docs/x.md:2: z.md: no such file"),
    ("[a](y.md#code)\n", "docs/x.md:1: y.md#code: no such heading"),
    ("[a](y.md#same-1)\n", None),
    ("[a](y.md#same-2)\n", "docs/x.md:1: y.md#same-2: no such heading"),
    ("[a](y.md#the-code-of-x)\n", None),
    ("[a][b]\n\n[b]: z.md\n", "docs/x.md:3: z.md: no such file"),
    ("[a][b]\n", "docs/x.md:1: the name of a link has no definition"),
    ("[a](../../x.md)\n", "docs/x.md:1: ../../x.md: no such file"),
    ("[a](../lib/x.c#there)\n", "docs/x.md:1: ../lib/x.c#there: an anchor of a file that is not Markdown"),
    ("`[a](z.md)`\n\n    [a](z.md)\n\n```\n[a](z.md)\n```\n[a](y.md)\n", None),
])
def test_links(tree, capsys, text, expected):
    root = tree({"docs/x.md": text, "lib/x.c": "int x;\n",
                 "docs/y.md": "# Two words\n\n## Same\n## Same\n### The `code` of *x*\n```\n# Code\n```\n"})
    subprocess.run(["git", "init", "-q", root], check=True)
    assert links.main(root) == (1 if expected else 0)
    assert (expected or "0 violations") in "".join(capsys.readouterr())


@pytest.mark.parametrize("text, expected", [
    ("/* see y.c, lib/x.h, string.h and y.md */\n#include <string.h>\n", None),
    ("char *s = \"z.c\"; z.c = 1;\n", None),
    ("/* a\n * see z.c */\n", "lib/x.c:2: the comment names z.c: no such file"),
    ("/* lib/y.c */\n", "lib/x.c:1: the comment names lib/y.c: no such file"),
    ("/* findings/x/y.md */\n", "lib/x.c:1: the comment names findings/x/y.md: no such file"),
    ("/* as here() does */\nint here(void);\n", None),
    ("/* as gone() does */\nint here(void);\n", "lib/x.c:1: the comment names gone: no such function"),
])
def test_files_and_functions_in_comments(tree, capsys, text, expected):
    root = tree({"lib/x.c": text, "lib/x.h": "", "daemon/y.c": "", "docs/y.md": "# Y\n"})
    subprocess.run(["git", "init", "-q", root], check=True)
    assert links.main(root) == (1 if expected else 0)
    assert (expected or "0 violations") in "".join(capsys.readouterr())


def test_links_want_pages(tree):
    root = tree({"lib/x.c": "int x;\n"})
    subprocess.run(["git", "init", "-q", root], check=True)
    assert links.main(root) == 1


@pytest.mark.parametrize("name, expected", [("b", None), ("a", "a is static in lib/a.c and lib/b.c")])
def test_statics(tree, capsys, name, expected):
    root = tree({"lib/a.c": "static int a(void) { return 0; }\nint (*ap)(void) = a;\n",
                 "lib/b.c": f"static int {name}(void) {{ return 0; }}\nint (*bp)(void) = {name};\n"})
    (root / "build/lib").mkdir(parents=True)
    for source in ("a", "b"):
        subprocess.run(["cc", "-c", "-o", root / f"build/lib/{source}.o", root / f"lib/{source}.c"], check=True)
    assert statics.main(root / "build", root) == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


@pytest.mark.parametrize("used_by", ["another object", "a test", None])
def test_exports(tree, capsys, used_by):
    root = tree({"lib/a.c": "int a(void);\nint a(void) { return 0; }\n",
                 "lib/b.c": "int a(void);\nint main(void) { return a(); }\n" if used_by == "another object" else "",
                 "tests/unit/test_a.c": "a" if used_by == "a test" else ""})
    for name in ("a", "b"):
        (root / "build/lib").mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-c", "-o", root / f"build/lib/{name}.o", root / f"lib/{name}.c"], check=True)
    assert exports.main(root / "build", root) == (0 if used_by else 1)
    assert used_by or "lib/a.c: a is used by its own file only" in capsys.readouterr().err


@pytest.fixture
def program(tree):
    """A tree in which every promise holds, with a stand-in for the binary that dumps ten options."""
    names = [f"option_{c}" for c in "abcdefghij"]
    root = tree({"binary": "#!/bin/sh\nif [ $1 = policy ]; then grep -q 'mode = \"a\"' $4 && more=', \"x:More\"'\n"
                           "echo '{\"Statement\":[{\"Action\":[\"x:Least\"'\"$more\"']}]}'; exit; fi\n"
                           "cat <<E\n" + "".join(f"{n} = 1;\n" for n in names) + "E\n",
                 "docs/iam.md": '| always | `x:Least` | y |\n| `mode = "a"` | `x:More` | y |\n',
                 "conf/trailguard.conf": "".join(f"# {n} = 1;\n" for n in names),
                 "docs/man/trailguard.conf.5": "\n".join(names) + "\n",
                 "lib/cloudtrail.c": 'f("DescribeTrails"); f("StartLogging");\n',
                 "lib/sns.c": 'f("Publish"); f("PublishResponse");\n', "lib/sts.c": 'f("GetCallerIdentity");\n',
                 "conf/iam/guard.json": '{"Statement":[{"Action":["cloudtrail:DescribeTrails","cloudtrail:StartLogging"]},'
                                        '{"Action":"sns:Publish"}]}',
                 "tests/golden/events.table": "event\ttrail.a\tcritical\twhen\nevent\ttrail.a\twarning\totherwise\n"
                                              "line\ttrail.a\terr\t" + "0" * 32 + "\t{when}; it is broken{why}\n",
                 "conf/x.catalog": "-- " + "0" * 32 + "\n",
                 "docs/operations.md": "- `...; it is broken: ...`\n  (err) Repair it.\n",
                 "docs/alert.schema.json": '{"properties":{"event":{"enum":["trail.a"]}}}',
                 "docs/man/trailguard-alert.7": ".Ql X-TrailGuard-Id\n.Sh DOCUMENT\n.It Ic event\nWhat.\n.Sh EVENTS\n.It Ic trail.a\n.Em critical :\n"
                                                "when.\n.Pp\n.Em warning :\notherwise.\n.El\n",
                 "docs/alerts.md": "| `trail.a` | critical | when |\n| | warning | otherwise |\n",
                 "docs/prometheus/example.prom": '# HELP trailguard_a_seconds A.\n# TYPE trailguard_a_seconds histogram\n'
                                                 'trailguard_a_seconds_bucket{guard="g",of="x",le="+Inf"} 1\n',
                 "docs/prometheus/rules.yml": "- alert: TrailGuardA\n  expr: trailguard_a_seconds_count\n",
                 "docs/prometheus/rules.test.yml": "alertname: TrailGuardA\n",
                 "docs/metrics.md": "| `a_seconds{of}` | histogram | A. |\n| `TrailGuardA` | x |\n",
                 "daemon/main.c": '    { "a", verb_a, 1, "x" },\n    { "b-c", verb_b_c, 1,\n      "y" },\n',
                 "docs/man/trailguard.8": ".Sh EXIT STATUS\n.It Cm a\n0.\n.It Cm b-c\n1.\n.Sh EXAMPLES\n",
                 "daemon/io/channel_webhook.c": '{ "X-TrailGuard-Id", id }\n', "docs/channels.md": "| `X-TrailGuard-Id` |\n"})
    (root / "binary").chmod(0o755)
    return root


def test_promises_hold(program):
    assert promises.main(str(program / "binary"), program) == 0


@pytest.mark.parametrize("file, old, new, expected", [
    ("conf/trailguard.conf", "option_c", "option_z", "option option_c is not shown"),
    ("docs/man/trailguard.conf.5", "option_d", "option_z", "option option_d is not described"),
    ("binary", "cat", "exit 1; cat", "trailguard config says"),
    ("lib/cloudtrail.c", "StartLogging", "LookupEvents", "does not allow cloudtrail:LookupEvents"),
    ("lib/cloudtrail.c", "StartLogging", "nothing", "allows cloudtrail:StartLogging, which the program never calls"),
    ("docs/iam.md", "x:Least", "x:Other", "docs/iam.md: always needed are {'x:Least'}"),
    ("docs/iam.md", "x:More", "x:Other", 'mode = "a": x:Other stands here only'),
    ("docs/iam.md", "x:More", "x:Other", 'mode = "a": x:More stands in the printed policy only'),
    ("binary", "then grep", "then grep -q mode $4 && exit 1; grep", "docs/iam.md: always needed are None"),
    ("conf/x.catalog", "-- 0", "-- 1", "is not explained"),
    ("tests/golden/events.table", "line", "other", "no MESSAGE_ID found"),
    ("docs/operations.md", "broken", "well", "no line '; it is broken' of level err"),
    ("docs/operations.md", "(err)", "(warning)", "levels there: ['warning']"),
    ("docs/alerts.md", "| critical", "| info", "the program has no row trail.a | info | when"),
    ("docs/alerts.md", "otherwise", "else", "no row trail.a | warning | otherwise"),
    ("docs/alert.schema.json", "trail.a", "trail.z", "docs/alert.schema.json: event trail.a is not allowed"),
    ("docs/man/trailguard-alert.7", "critical", "info", "the program has no entry trail.a | info | when"),
    ("docs/man/trailguard-alert.7", "otherwise", "else", "the program has no entry trail.a | warning | else"),
    ("docs/man/trailguard-alert.7", ".Sh EVENTS", ".Sh WORDS", "docs/man/trailguard-alert.7: no entry trail.a | critical | when"),
    ("docs/man/trailguard-alert.7", "Ic event", "Ic event , id", "docs/man/trailguard-alert.7: member id stands here only"),
    ("docs/alerts.md", "trail.a", "trail.z", "event trail.z, which the program does not have"),
    ("docs/metrics.md", "A. |", "B. |", "docs/metrics.md: trailguard_a_seconds is ('histogram', ('of',), 'B.')"),
    ("docs/metrics.md", "{of}", "", "docs/metrics.md: trailguard_a_seconds is ('histogram', (), 'A.')"),
    ("docs/metrics.md", "a_seconds", "z", "docs/metrics.md: trailguard_z is"),
    ("docs/metrics.md", "TrailGuardA", "TrailGuardB", "rule TrailGuardA stands in rules.yml only"),
    ("docs/prometheus/rules.yml", "_seconds_count", "_count", "docs/prometheus/rules.yml: trailguard_a_count is no metric"),
    ("docs/prometheus/rules.test.yml", "GuardA", "GuardB", "does not test TrailGuardA"),
    ("docs/channels.md", "-Id", "-Name", "docs/channels.md: header X-TrailGuard-Id stands in the program only"),
    ("docs/channels.md", "-Id", "-Name", "docs/channels.md: header X-TrailGuard-Name stands here only"),
    ("docs/man/trailguard-alert.7", "-Id", "", "docs/man/trailguard-alert.7: header X-TrailGuard-Id stands in the program only"),
    ("docs/man/trailguard.8", "Cm b-c", "Cm b", "docs/man/trailguard.8: no exit status of b-c"),
    ("docs/man/trailguard.8", "0.", ".Ql [ ] ,", "docs/man/trailguard.8:3: .Ql [ ] ,: quote it"),
])
def test_promises(program, capsys, file, old, new, expected):
    path = program / file
    path.write_text(path.read_text().replace(old, new))
    assert promises.main(str(program / "binary"), program) == 1
    assert expected in capsys.readouterr().err


def test_newest_regions_are_said_and_no_failure(tmp_path, capsys):
    table = tmp_path / "partitions.js"
    table.write_text('export const partitionsInfo = {"partitions": [{"id": "aws", "regions": {"aws-global": {}, "eu-west-1": {},'
                     ' "xx-moon-1": {}}}]};\n')
    assert newest_regions.main([str(table)]) == 0
    said = capsys.readouterr()
    assert said.err == "newest_regions: warning: lib/endpoint.c does not know xx-moon-1\n" and "1 regions" in said.out


ERRORS = r'''
#include "verbs.h"
static const char *const words[] = { "one word", "quiet" };
int main(void) {
    printf("said %d times", 3);
    fprintf(stderr, "trailguard: no \\"%s\\" of "
                    "%zu is there\\n", name, n);
    return several ? refuse("which one is meant", name) : drill_refuse(d, "it has the tag " TAG " already", "");
}
'''
GOLDEN = 'trailguard: no "x" of 3 is there\nt: which one is meant: x\nt: it has the tag T already\n'


@pytest.mark.parametrize("golden, reasons, expected", [
    (GOLDEN, "", None),
    (GOLDEN.replace("of 3", "among 3"), "", "daemon/cli/verb.c 'trailguard: no \"%\" of % is there\\n': in no golden file"),
    (GOLDEN.replace("which", "what"), "== why\ndaemon/cli/verb.c 'which one is meant'\n", None),
    (GOLDEN.replace(" already", ""), "", "daemon/cli/verb.c 'it has the tag % already': in no golden file"),
    (GOLDEN, "== why\ndaemon/cli/verb.c 'which one is meant'\n", "'which one is meant': no such text, or a golden file has it"),
])
def test_error_texts(tree, capsys, golden, reasons, expected):
    root = tree({"daemon/cli/verb.c": ERRORS.replace("\\\\", "\\"), "tests/golden/errors.verbs.txt": golden,
                 "tests/lint/error_texts.reasons": reasons})
    assert error_texts.main(root) == (1 if expected else 0)
    assert (expected or "") in capsys.readouterr().err


def test_error_texts_of_the_configuration_are_found_wherever_they_stand(tree, capsys):
    root = tree({"daemon/config/x.c": 'static const char *lacks(void) {\n    return good ? NULL : "a key of its own";\n}\n',
                 "tests/lint/error_texts.reasons": ""})
    assert error_texts.main(root) == 1 and "'a key of its own'" in capsys.readouterr().err
