# SPDX-License-Identifier: Apache-2.0
"""Thousands of generated credentials files, config files, environments and answers of credential_process are read by
TrailGuard, by botocore and by the AWS SDK for JavaScript. Where the two agree TrailGuard agrees; where they differ it
follows botocore or refuses with a sentence. What differs is the table in docs/accounts.md, "Where AWS's tools differ"."""

import hashlib
import http.server
import json
import os
import random
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from guard import PLAIN
from npm import install

# the cases are made and read once, not in each worker
pytestmark = [pytest.mark.xdist_group("keys"), pytest.mark.skipif(not PLAIN, reason="it compares the plain helper")]

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
HELPER = TOP / "build/tests/integration/credentials_helper"
CASES = int(os.environ.get("TRAILGUARD_ORACLE_CASES", "2000"))
SEED = int(os.environ.get("TRAILGUARD_ORACLE_SEED", "7"))

# ---- the generator: a case is the plain way of writing it down, with one oddity or two ----


class Case:
    """Two files, an environment, and the names of the oddities in them."""

    def __init__(self, place, pick, number):
        self.place, self.pick, self.number = place / str(number), pick, number
        self.oddities = []
        self.profile = pick.choice(["default", "default", "guard", "guard", "my team", "o-1.x_y@z"])
        self.environment = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.place), "PATH": os.environ["PATH"],
                            "AWS_REGION": "eu-central-1"}
        self.keys = [("aws_access_key_id", f"AKID{number}"), ("aws_secret_access_key", "s/+=" + "x" * 4)]
        if pick.random() < 0.4:
            self.keys.append(("aws_session_token", f"tok{number}=="))
        self.others = [("region", "eu-west-1"), ("output", "json")]
        self.header = {"credentials": f"[{self.profile}]", "config": self.config_header(self.profile)}
        self.lines = {"credentials": [], "config": []}
        self.newline = "\n"
        self.start = ""
        self.answer = None
        self.at_home = False

    @staticmethod
    def config_header(name):
        return "[default]" if name == "default" else f"[profile {name}]" if " " not in name else f'[profile "{name}"]'

    def put(self, where, entries):
        self.lines[where] += [f"{key} = {value}" for key, value in entries]

    def fill(self):
        where = self.pick.choice(["credentials", "credentials", "config"])
        self.put(where, self.keys)
        if self.pick.random() < 0.3:
            self.put("config", self.others)
        if self.pick.random() < 0.3:  # somebody else's profile around it
            self.lines["before"] = True
        return where

    def text(self, where):
        others = "[other]" if where == "credentials" else "[profile other]"
        other = [others, "aws_access_key_id = AKIDOTHER", "aws_secret_access_key = other"]
        own = [self.header[where], *self.lines[where]] if self.lines[where] else []
        lines = [*(other if self.lines.get("before") else []), *own, *self.lines.get("after " + where, [])]
        return self.start + self.newline.join(lines) + self.newline if lines else None

    def write(self):
        folder = self.place / ".aws" if self.at_home else self.place
        folder.mkdir(parents=True)
        if self.profile != "default" and "AWS_PROFILE" not in self.environment:
            self.environment["AWS_PROFILE"] = self.profile
        for where in ("credentials", "config"):
            text = self.text(where)
            if text is not None:
                (folder / where).write_bytes(text.encode("utf-8", "surrogateescape"))
                (folder / where).chmod(0o600)
                name = "AWS_SHARED_CREDENTIALS_FILE" if where == "credentials" else "AWS_CONFIG_FILE"
                if not self.at_home:
                    self.environment.setdefault(name, str(folder / where))
        if self.answer is not None:
            (self.place / "answer").write_text(self.answer)


def change_line(case, change):
    where = "credentials" if case.lines["credentials"] else "config"
    at = case.pick.randrange(len(case.lines[where]))
    case.lines[where][at] = change(case.lines[where][at])


def odd(line):
    def apply(case):
        where = "credentials" if case.lines["credentials"] else "config"
        case.lines[where].insert(case.pick.randrange(len(case.lines[where]) + 1), line)
    return apply


def odd_elsewhere(line):
    def apply(case):
        where = "credentials" if case.lines["credentials"] else "config"
        case.lines["after " + where] = ["[profile broken]" if where == "config" else "[broken]", line]
    return apply


def spelled(form):
    def apply(case):
        case.header["config"] = form.format(case.profile)
    return apply


def spelled_in_credentials(form):
    def apply(case):
        case.header["credentials"] = form.format(case.profile)
    return apply


def header_tail(tail):
    def apply(case):
        for where in case.header:
            case.header[where] += tail
    return apply


def in_value(form):
    def apply(case):
        where = "credentials" if case.lines["credentials"] else "config"
        key, _, value = case.lines[where][0].partition(" = ")
        case.lines[where][0] = f"{key} = " + form.format(value)
    return apply


def set_attribute(**values):
    def apply(case):
        for name, value in values.items():
            setattr(case, name, value)
    return apply


def twice(case):
    where = "credentials" if case.lines["credentials"] else "config"
    case.lines[where].append("aws_access_key_id = AKIDTWICE")


def section_twice(case):
    where = "credentials" if case.lines["credentials"] else "config"
    case.lines["after " + where] = [case.header[where], "aws_access_key_id = AKIDAGAIN"]


def key_in_both(case):
    where = "credentials" if case.lines["credentials"] else "config"
    case.put("config" if where == "credentials" else "credentials",
             [("aws_access_key_id", "AKIDOTHERFILE"), ("aws_secret_access_key", "otherfile")])


def split_over_files(case):
    where = "credentials" if case.lines["credentials"] else "config"
    line = case.lines[where].pop(1)
    case.lines["config" if where == "credentials" else "credentials"].append(line)


def token_in_other_file(case):
    where = "credentials" if case.lines["credentials"] else "config"
    case.lines["config" if where == "credentials" else "credentials"].append("aws_session_token = elsewhere")


def without(key):
    def apply(case):
        for where in ("credentials", "config"):
            case.lines[where] = [line for line in case.lines[where] if not line.startswith(key)]
    return apply


def variables(**values):
    return lambda case: case.environment.update({k: v.format(place=case.place) for k, v in values.items()})


def indented(case):
    for where in ("credentials", "config"):
        case.lines[where] = ["  " + line for line in case.lines[where]]


def nested(case):
    where = "credentials" if case.lines["credentials"] else "config"
    case.lines[where] += ["s3 =", "  aws_access_key_id = AKIDNESTED", "  max_concurrent_requests = 3"]


def process(command, **members):
    """A profile whose program answers; members change the answer, None takes one out."""
    def apply(case):
        where = "config" if case.lines["config"] else "credentials"
        answer = {"Version": 1, "AccessKeyId": f"AKIDP{case.number}", "SecretAccessKey": "sp", "SessionToken": "tp",
                  "Expiration": "2098-01-02T03:04:05Z"}
        answer.update(members)
        case.answer = json.dumps({k: v for k, v in answer.items() if v is not None})
        case.lines[where] = [f"credential_process = {command.format(place=case.place)}"]
        case.lines["config" if where == "credentials" else "credentials"] = []
    return apply


def answer_text(form):
    def apply(case):
        process("cat {place}/answer")(case)
        case.answer = form.format(case.answer)
    return apply


def role(**options):
    """The profile is a role; its keys are those of the profile "base"."""
    def apply(case):
        where = "credentials" if case.lines["credentials"] else "config"
        keys = case.lines[where]
        entries = {"role_arn": "arn:aws:iam::111122223333:role/r", "source_profile": "base", **options}
        case.lines["credentials" if where == "credentials" else "config"] = [
            f"{key} = {value}" for key, value in entries.items() if value is not None]
        case.lines["after " + where] = ["[base]" if where == "credentials" else "[profile base]", *keys]
    return apply


def missing(key):
    return process("cat {place}/answer", **{key: None})


TIMES = ["2098-01-02T03:04:05+0000", "2098-01-02T03:04:05+00:00", "2098-01-02T03:04:05.123Z", "2098-01-02 03:04:05Z",
         "2098-01-02T03:04:05", "2098-01-02T03:04:05-0730", "2098-01-02T03:04:05+02", "2098-01-02T03:04Z", "2098-01-02",
         "20980102T030405Z", "2098-01-02T03:04:05.123456789Z", "2098-01-02t03:04:05z", "Thu, 02 Jan 2098 03:04:05 GMT",
         "4039729445", "soon", "", "2098-13-02T03:04:05Z", "2098-01-02T03:04:05 UTC", "2098-01-02T03:04:05+00:00Z",
         "2098-01-02T03:04:05,5Z", " 2098-01-02T03:04:05Z ", "2098-01-02T24:00:00Z", "2098-01-02T03:04:60Z",
         "2020-01-02T03:04:05Z"]

def elsewhere(*keep):
    """The profile has no keys, and a container's endpoint has; keep says what stays of it."""
    def apply(case):
        case.lines["credentials"] = case.lines["config"] = []
        if keep:
            case.put("config", keep)
        case.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = CONTAINER
    return apply


def no_profile_named(case):
    elsewhere()(case)
    case.profile, case.lines["before"] = "default", True
    case.put("config", [("region", "eu-west-1")])
    case.header["config"] = "[profile third]"


def below(case):
    where = "credentials" if case.lines["credentials"] else "config"
    case.lines[where][1:] = ["  " + line for line in case.lines[where][1:]]


def default_twice(case):
    case.profile = "default"
    case.lines["credentials"] = []
    case.header["config"], case.lines["config"] = "[default]", [f"{k} = {v}" for k, v in case.keys]
    case.lines["after config"] = ["[profile default]", "aws_access_key_id = AKIDD", "aws_secret_access_key = d"]


def home(case):
    """In the home folder, where files are looked for that no variable names."""
    case.at_home = True


def home_not_asked(case):
    home(case)
    case.environment["AWS_SHARED_CREDENTIALS_FILE"] = str(case.place / "missing")


ODDITIES = {
    "keys elsewhere": elsewhere(),
    "keys elsewhere, profile": elsewhere(("region", "eu-west-1")),
    "keys elsewhere, files without it": no_profile_named,
    "indented below": below,
    "default twice": default_twice,
    "home": home,
    "home not asked": home_not_asked,
    "nbsp": in_value("\u00a0{}\u00a0"),
    "form feed": in_value("\f{}\v"),
    "colon in value": in_value("{}:x"),
    "key of two words": odd("some words = here"),
    "crlf": set_attribute(newline="\r\n"),
    "cr only": set_attribute(newline="\r"),
    "bom": set_attribute(start="\ufeff"),
    "blank lines": set_attribute(start="\n\n"),
    "comment #": odd("# a comment = with [brackets]"),
    "comment ;": odd("; a comment"),
    "comment indented": odd("   # a comment"),
    "comment behind #": in_value("{} # a comment"),
    "comment behind ;": in_value("{} ; a comment"),
    "hash in value": in_value("{}#x"),
    "value in quotes": in_value('"{}"'),
    "value in single quotes": in_value("'{}'"),
    "value with blanks around": in_value("   {}\t "),
    "value with equals": in_value("{}=="),
    "value with percent": in_value("{}%(x)s%"),
    "value with backslash": in_value("{}\\"),
    "value empty": in_value(""),
    "value with a blank inside": in_value("{} x"),
    "no blanks": lambda case: change_line(case, lambda line: line.replace(" = ", "=")),
    "tabs": lambda case: change_line(case, lambda line: line.replace(" = ", "\t=\t")),
    "colon": lambda case: change_line(case, lambda line: line.replace(" = ", ": ")),
    "upper case key": lambda case: change_line(case, lambda line: line.split(" = ")[0].upper() + " = " + line.split(" = ")[1]),
    "odd line": odd("this is odd"),
    "odd line, export": odd("export AWS_ACCESS_KEY_ID"),
    "odd line, no key": odd("= x"),
    "odd line, indented": odd("   indented"),
    "odd line, unclosed": odd("[unclosed"),
    "odd line elsewhere": odd_elsewhere("this is odd"),
    "odd line elsewhere, no key": odd_elsewhere("= x"),
    "odd line elsewhere, unclosed": odd_elsewhere("[unclosed"),
    "odd line elsewhere, empty section": odd_elsewhere("[]"),
    "before any section": set_attribute(start="region = eu-west-2\n"),
    "odd before any section": set_attribute(start="what is this\n"),
    "indented": indented,
    "nested": nested,
    "key twice": twice,
    "section twice": section_twice,
    "key in both files": key_in_both,
    "split over files": split_over_files,
    "token in other file": token_in_other_file,
    "no secret": without("aws_secret_access_key"),
    "no key": without("aws_access_key_id"),
    "no keys": without("aws_"),
    "header: profile NAME": spelled("[profile {}]"),
    "header: profile \"NAME\"": spelled('[profile "{}"]'),
    "header: profile 'NAME'": spelled("[profile '{}']"),
    "header: profile  NAME": spelled("[profile   {}]"),
    "header: profile TAB": spelled("[profile\t{}]"),
    "header: blanks within": spelled("[ profile {} ]"),
    "header: Profile": spelled("[Profile {}]"),
    "header: without profile": spelled("[{}]"),
    "header: half a quote": spelled('[profile "{}]'),
    "header: quote within": spelled('[profile "{}"x]'),
    "header: no blank before quote": spelled('[profile"{}"]'),
    "header: blanks within quotes": spelled('[profile " {} "]'),
    "header: backslash": spelled("[profile \\{}]"),
    "header: comment": header_tail(" # mine"),
    "header: comment ;": header_tail("; mine"),
    "header: text behind": header_tail(" mine"),
    "header: bracket in it": spelled("[profile {}]]"),
    "header: indented": spelled("  [profile {}]"),
    "credentials: profile NAME": spelled_in_credentials("[profile {}]"),
    "credentials: \"NAME\"": spelled_in_credentials('["{}"]'),
    "credentials: blanks within": spelled_in_credentials("[ {} ]"),
    "bytes": odd("comment = \udcff\udcfe"),
    "utf-8": odd("comment = grün"),
    "environment": variables(AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="senv"),
    "environment, token": variables(AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="senv", AWS_SESSION_TOKEN="tenv"),
    "environment, old token": variables(AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="senv", AWS_SECURITY_TOKEN="told"),
    "environment, half": variables(AWS_ACCESS_KEY_ID="AKIDENV"),
    "environment, other half": variables(AWS_SECRET_ACCESS_KEY="senv"),
    "environment, empty": variables(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""),
    "environment, expiration": variables(AWS_ACCESS_KEY_ID="AKIDENV", AWS_SECRET_ACCESS_KEY="senv",
                                         AWS_CREDENTIAL_EXPIRATION="2098-01-02T03:04:05Z"),
    "AWS_PROFILE empty": variables(AWS_PROFILE=""),
    "AWS_PROFILE elsewhere": variables(AWS_PROFILE="nobody"),
    "AWS_DEFAULT_PROFILE": variables(AWS_DEFAULT_PROFILE="nobody"),
    "credentials file missing": variables(AWS_SHARED_CREDENTIALS_FILE="{place}/missing"),
    "config file missing": variables(AWS_CONFIG_FILE="{place}/missing"),
    "credentials file is a folder": variables(AWS_SHARED_CREDENTIALS_FILE="{place}"),
    "config file is a folder": variables(AWS_CONFIG_FILE="{place}"),
    "tilde": variables(AWS_SHARED_CREDENTIALS_FILE="~/credentials", AWS_CONFIG_FILE="~/config"),
    "variable in path": variables(AWS_SHARED_CREDENTIALS_FILE="$HOME/credentials"),
    "process": process("cat {place}/answer"),
    "process, quotes": process("\"cat\" '{place}/answer'"),
    "process, backslash": process("c\\at {place}/answer"),
    "process, shell": process("cat {place}/answer | cat"),
    "process, variable": process("cat $HOME/answer"),
    "process, tilde": process("cat ~/answer"),
    "process, fails": process("sh -c 'cat {place}/answer; exit 3'"),
    "process, says something": process("sh -c 'echo warning >&2; cat {place}/answer'"),
    "process, missing": process("/nowhere/at/all"),
    "process, empty": process(""),
    "process, Version text": process("cat {place}/answer", Version="1"),
    "process, Version 1.0": process("cat {place}/answer", Version=1.0),
    "process, Version true": process("cat {place}/answer", Version=True),
    "process, Version 2": process("cat {place}/answer", Version=2),
    "process, no Version": missing("Version"),
    "process, no token": missing("SessionToken"),
    "process, no Expiration": missing("Expiration"),
    "process, no key": missing("AccessKeyId"),
    "process, no secret": missing("SecretAccessKey"),
    "process, empty token": process("cat {place}/answer", SessionToken=""),
    "process, empty key": process("cat {place}/answer", AccessKeyId=""),
    "process, more": process("cat {place}/answer", AccountId="111122223333", More={"a": [1]}),
    "process, blanks around": answer_text("\n\n  {}\n\n"),
    "process, garbage behind": answer_text("{} x"),
    "process, in a list": answer_text("[{}]"),
    "process, nothing": answer_text(""),
    "process, null token": answer_text('{{"Version":1,"AccessKeyId":"AKIDN","SecretAccessKey":"s","SessionToken":null}}'),
    "process, null Expiration": answer_text('{{"Version":1,"AccessKeyId":"AKIDN","SecretAccessKey":"s","Expiration":null}}'),
    "process, member twice": answer_text('{{"Version":1,"AccessKeyId":"AKID1","AccessKeyId":"AKID2","SecretAccessKey":"s"}}'),
    **{f"process, Expiration {time!r}": process("cat {place}/answer", Expiration=time) for time in TIMES},
    "role": role(),
    "role, external id": role(external_id="x1"),
    "role, duration": role(duration_seconds="1200"),
    "role, duration odd": role(duration_seconds="soon"),
    "role, duration with blanks": role(duration_seconds="1200 # twenty minutes"),
    "role, no source": role(source_profile=None),
    "role, source missing": role(source_profile="nobody"),
    "role, own source": role(source_profile="default"),
    "role, source quoted": role(source_profile='"base"'),
    "role, from environment": role(source_profile=None, credential_source="Environment"),
    "role, two sources": role(credential_source="Environment"),
    "role, source of a wrong case": role(source_profile=None, credential_source="environment"),
}


def make_cases(place):
    pick = random.Random(SEED)
    names, cases = list(ODDITIES), []
    for number in range(CASES):
        case = Case(place, pick, number)
        case.fill()
        chosen = [names[number % len(names)]]
        if number >= 4 * len(names):
            chosen.append(pick.choice(names))
        # What makes the profile comes before what changes its lines.
        for name in sorted(chosen, key=lambda name: not name.startswith(("process", "role"))):
            try:
                ODDITIES[name](case)
                case.oddities.append(name)
            except (IndexError, ValueError):  # nothing left to make odd
                pass
        case.write()
        cases.append(case)
    return cases


# ---- those that read ----


CONTAINER = "the fixture's URL"


class Sts(http.server.BaseHTTPRequestHandler):
    """AssumeRole whose keys name what it was asked."""

    def do_POST(self):  # noqa: N802
        from urllib.parse import parse_qs
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        source = re.search(r"Credential=([^/]*)/", self.headers["Authorization"])[1]
        said = [source, form["RoleArn"], form.get("ExternalId", ""), form.get("DurationSeconds", "3600")]
        key = hashlib.sha256("|".join(said).encode()).hexdigest()
        body = (f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s"
                "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
                "</Credentials></AssumeRoleResult></AssumeRoleResponse>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # noqa: N802
        body = json.dumps({"AccessKeyId": "AKIDCONTAINER", "SecretAccessKey": "sc", "Token": "tc",
                           "Expiration": "2097-01-02T03:04:05Z"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def sts():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(command, cases, sts):
    """Each case's answer: a set of keys, or only a message."""
    lines = "".join(json.dumps({"environment": {**case.environment, "AWS_ENDPOINT_URL_STS": sts},
                                "configuration": "alerts = ();"}) + "\n" for case in cases).replace(CONTAINER, sts)
    ended = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=600)
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(answers) == len(cases), ended.stderr[-2000:]
    return answers


@pytest.fixture(scope="module")
def answers(tmp_path_factory, sts):
    pytest.importorskip("botocore", reason="no botocore")
    place = install()
    if not place:
        pytest.skip("the packages of tests/npm cannot be installed")
    cases = make_cases(tmp_path_factory.mktemp("keys"))
    ours = ask([HELPER], cases, sts)
    botocore = ask([sys.executable, HERE / "oracle_keys.py"], cases, sts)
    javascript = ask(["node", HERE / "oracle_keys.mjs", place], cases, sts)
    return list(zip(cases, ours, botocore, javascript))


# What is not as botocore has it, by oddity; each is a row of the table in docs/accounts.md.
ONE_LINE = "botocore refuses the whole file for one line; TrailGuard the profile that the line stands in"
REFUSED_BY_STS = "a role that STS refuses by its shape is refused at once"
DIFFERENCES = {
    "colon in value": REFUSED_BY_STS,
    **{oddity: ONE_LINE for oddity in ODDITIES if oddity.startswith(("odd line elsewhere", "odd before", "before any"))},
    "bom": ONE_LINE,
    "bytes": ONE_LINE,
    "environment, expiration": "AWS_CREDENTIAL_EXPIRATION is not read",
    "AWS_PROFILE empty": "botocore looks for a profile without a name; TrailGuard takes what is empty for unset",
    **{oddity: "keys in the environment count, whatever profile AWS_PROFILE names and the files hold"
       for oddity in ("environment", "environment, token", "environment, old token")},
    "process, empty key": "an empty key is refused at once, not by AWS",
}


def are_same(a, b):
    return a == b if "key" in a and "key" in b else ("key" in a) == ("key" in b)


def is_explained(case, ours, botocore):
    reasons = {DIFFERENCES[oddity] for oddity in case.oddities if oddity in DIFFERENCES}
    no = botocore.get("message", "")
    return ((ours.get("key") == "AKIDENV" and ("ProfileNotFound" in no or "ConfigParseError" in no))
            or (DIFFERENCES["AWS_PROFILE empty"] in reasons and "profile ()" in no)
            or (ONE_LINE in reasons and "ConfigParseError" in no)
            or (DIFFERENCES["environment, expiration"] in reasons and ours.get("key") == botocore.get("key"))
            or (DIFFERENCES["process, empty key"] in reasons and "key" not in ours)
            or any(word in ours.get("message", "") for word in ("must be an ARN", "AWS's tools differ", "a time with a zone")))


def test_keys_are_those_of_the_tools(answers):
    wrong, agreed = [], 0
    for case, ours, botocore, javascript in answers:
        agreed += are_same(botocore, javascript)
        refused = "key" not in ours and not are_same(botocore, javascript)
        if not (are_same(ours, botocore) or refused or is_explained(case, ours, botocore)):
            wrong.append(f"{case.oddities} in {case.place}\n ours {ours}\n botocore {botocore}\n js {javascript}")
    assert not wrong, f"{len(wrong)} of {len(answers)}\n" + "\n".join(wrong[:20])
    assert agreed > len(answers) / 2


def test_a_refusal_is_a_sentence_without_secrets(answers):
    for case, ours, _, _ in answers:
        if "key" not in ours:
            assert len(ours["message"]) > 20, case.oddities
            assert "s/+=" not in ours["message"] and "tok" not in ours["message"].replace("token", ""), ours


def test_each_difference_is_still_one(answers):
    """A row that no case needs any more goes."""
    seen = {DIFFERENCES.get(oddity) for case, ours, botocore, _ in answers if not are_same(ours, botocore)
            for oddity in case.oddities}
    assert set(DIFFERENCES.values()) <= seen
