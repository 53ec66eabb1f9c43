# SPDX-License-Identifier: Apache-2.0
"""What the simulated AWS holds: accounts, people, roles, keys, trails, topics, and the clock."""

import collections
import random
import re
import threading
import time
from dataclasses import dataclass, field

from . import iam
from .regions import DEFAULT_REGIONS, partition_of

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def random_id(prefix, length=16):
    return prefix + "".join(random.choices(ALPHABET, k=length))


@dataclass
class Account:
    id: str
    alias: str = ""
    email: str = ""
    state: str = "ACTIVE"           # as Organizations lists it
    partition: str = "aws"
    regions: list = field(default_factory=lambda: list(DEFAULT_REGIONS))
    region_status: dict = field(default_factory=dict)   # region -> RegionOptStatus, where it is not what `regions` says
    scp: list | None = None         # statements of the service control policies; None: those of its parent
    parent: str = "r-root"          # the root or organizational unit that it is in
    org_write_error: str = "AccessDeniedException"      # what a member gets for writing to an organization trail


@dataclass
class Principal:
    """Whoever signs a request: a user, root, or a session of a role."""
    account: str
    kind: str                       # "user", "root", "role"
    name: str
    arn: str                        # of the session for a role
    issuer_arn: str                 # of the user or role itself; aws:PrincipalArn
    user_id: str
    policy: list
    session_policy: list | None = None
    session: str = ""
    issued: float = 0
    partition: str = "aws"
    delivery: str = ""              # "2.0" for credentials from instance metadata
    source_ip: str = ""             # what the event history shows instead of the real peer address


@dataclass
class Key:
    id: str
    secret: str
    principal: Principal
    token: str | None = None
    expires: float | None = None
    active: bool = True


@dataclass
class Role:
    account: str
    name: str
    arn: str
    id: str
    policy: list
    trust: list
    max_session: int = 3600


@dataclass
class Organization:
    id: str
    management: str
    members: list
    delegated: list = field(default_factory=list)
    trusted_access: bool = True


@dataclass
class Trail:
    account: str
    region: str                     # home region
    name: str
    arn: str
    settings: dict                  # members of the Trail shape that were configured
    selectors: list | None = None           # basic event selectors; None and None is the default one
    advanced: list | None = None
    insights: list = field(default_factory=list)
    tags: dict = field(default_factory=dict)
    configuration: dict | None = field(default_factory=dict)    # event configuration; None: not supported here
    logging: bool = False
    started: float | None = None
    stopped: float | None = None
    delivered: float | None = None          # newest delivery before `started`
    digested: float | None = None
    delivery_stopped: float | None = None   # no delivery after this time although logging
    errors: dict = field(default_factory=dict)      # Latest...Error members by name
    status: dict = field(default_factory=dict)      # members forced into GetTrailStatus; None takes one out
    health: dict = field(default_factory=dict)      # Latest...Error member -> (since, code of what CloudTrail gets), oldest first

    @property
    def multi_region(self):
        return self.settings["IsMultiRegionTrail"]

    @property
    def organization(self):
        return self.settings["IsOrganizationTrail"]


SUBSCRIBED = [{"protocol": "email", "endpoint": "oncall@example.com"}]


@dataclass
class Topic:
    arn: str
    account: str
    region: str
    name: str
    policy: list
    content_dedup: bool = False
    messages: list = field(default_factory=list)        # delivered ones
    published: int = 0
    seen: dict = field(default_factory=dict)            # deduplication id -> (time, message)
    sequence: int = 10000000000000000000
    subscriptions: list = field(default_factory=list)
    kms_key: str = None
    own_policy: bool = False        # its policy was given; the other one lets CloudTrail in, too

    @property
    def fifo(self):
        return self.name.endswith(".fifo")


class State:
    """Everything, behind one lock; `changed` is notified whenever a waiting test might want to look again."""

    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.judge = iam.Judge()
        self.offset = 0.0
        self.resets = 0
        self.reset()

    def reset(self):
        """Back to an empty AWS. Listeners and clock stay."""
        with self.lock:
            self.resets += 1            # what was asked before a reset must not act after it
            self.accounts = {}
            self.users = {}             # (account, name) -> Principal
            self.roles = {}             # arn -> Role
            self.policies = {}          # ARN of a managed policy -> its statements
            self.documents = {}         # (ARN of a user or role, name of an inline policy) -> its text
            self.policy_versions = {}   # ARN of a managed policy -> number of its newest version; 1 where it has one
            self.keys = {}              # access key id -> Key
            self.trails = {}            # arn -> Trail
            self.topics = {}            # arn -> Topic
            self.buckets = {}           # name -> what is known of it, see s3.bucket; others are fine
            self.kms = {}               # key ARN -> {"state": KeyState, None when it is gone, ...}; others are fine
            self.kms_keys = {}          # key ARN or id -> error code to answer for it; others are fine
            self.log_groups = {}        # ARN -> error code, likewise
            self.gone = set()           # ARNs of topics, log groups (without ":*") and roles that somebody deleted
            self.units = {}             # id of an organizational unit -> statements of its service control policy
            self.organizations = {}     # id -> Organization; an account is in one at most
            self.history = []           # recorded events, oldest first
            self.failures = []          # what a test must not overlook
            self.requests = collections.deque(maxlen=50000)
            self.sequence = 0           # number of the newest request
            self.imds = None
            self.container = None
            self.web_tokens = {}        # web identity token -> {"role", "subject", "provider", "expired"}
            self.settings = {
                "tomorrow": {},        # members that no model has yet: place -> {"Tomorrow...": default}
                "refuse_tomorrow": False,   # ... and that no write may have
                "history_delay": 0.0,       # seconds until LookupEvents shows an event
                "history_reads": False,     # record read calls too, as AWS does
                "delivery_interval": 300.0,
                "digest_interval": 3600.0,
                "idle_timeout": 60.0,       # seconds until an idle connection is closed
                "quotas": False,            # enforce AWS's published request rates
                "signature_window": 300.0,
            }
            self.judge.__init__()

    # -- clock ---------------------------------------------------------------------------------------------------
    def now(self):
        return time.time() + self.offset

    # -- accounts and principals ---------------------------------------------------------------------------------
    def add_account(self, id, regions=None, **fields):
        if not re.fullmatch(r"\d{12}", id):
            raise ValueError("an account id has 12 digits")
        account = Account(id, **fields)
        if regions is not None:
            account.regions = list(regions)
            account.partition = partition_of(regions[0]) if regions else "aws"
        if account.scp is not None:
            account.scp = iam.statements(account.scp)
        self.accounts[id] = account
        return account

    def account(self, id):
        if id not in self.accounts:
            self.add_account(id)
        return self.accounts[id]

    def add_user(self, name, account, access_key=None, secret=None, token=None, expires=None, policy=None,
                 source_ip=""):
        """A user with one access key. `expires` is seconds since the epoch; name "root" is the root user."""
        owner = self.account(account)
        base = f"arn:{owner.partition}:iam::{account}:"
        root = name == "root"
        principal = Principal(
            account=account, kind="root" if root else "user", name=name, partition=owner.partition,
            arn=base + ("root" if root else f"user/{name}"), issuer_arn=base + ("root" if root else f"user/{name}"),
            user_id=account if root else random_id("AIDA"), source_ip=source_ip,
            policy=iam.statements(iam.ALLOW_ALL if policy is None else policy))
        self.users[account, name] = principal
        prefix = "ASIA" if token else "AKIA"
        return self.add_key(principal, access_key or random_id(prefix), secret, token, expires)

    def add_key(self, principal, access_key, secret=None, token=None, expires=None):
        secret = secret or "".join(random.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", k=40))
        key = Key(access_key, secret, principal, token, expires)
        self.keys[access_key] = key
        return key

    def add_role(self, name, account, policy=None, trust=None, max_session=3600, path="/"):
        """`trust` is the trust policy (statements), or a list of principal ARNs; default: the role's own account."""
        owner = self.account(account)
        arn = f"arn:{owner.partition}:iam::{account}:role{path}{name}"
        if trust is None:
            trust = [f"arn:{owner.partition}:iam::{account}:root"]
        if isinstance(trust, list) and all(isinstance(entry, str) for entry in trust):
            trust = [{"Effect": "Allow", "Principal": {"AWS": trust}, "Action": "sts:AssumeRole"}]
        role = Role(account, name, arn, random_id("AROA"), iam.statements(iam.ALLOW_ALL if policy is None else policy),
                    iam.statements(trust), max_session)
        self.roles[arn] = role
        self.gone.discard(arn)
        return role

    def open_session(self, role, session, seconds, session_policy=None, delivery=""):
        """Temporary credentials of a role."""
        partition = self.account(role.account).partition
        now = self.now()
        principal = Principal(
            account=role.account, kind="role", name=role.name, partition=partition,
            arn=f"arn:{partition}:sts::{role.account}:assumed-role/{role.name}/{session}", issuer_arn=role.arn,
            user_id=f"{role.id}:{session}", policy=role.policy, session_policy=session_policy, session=session,
            issued=now, delivery=delivery)
        token = random_id("IQoJb3JpZ2luX2Vj", 600) + "=="
        return self.add_key(principal, random_id("ASIA"), token=token, expires=int(now + seconds))

    # -- organization --------------------------------------------------------------------------------------------
    def organization_of(self, account):
        """None when it is in none."""
        return next((org for org in self.organizations.values() if account in (org.management, *org.members)), None)

    def is_member(self, account):
        org = self.organization_of(account)
        return org is not None and account in org.members

    def scp_of(self, account):
        """Statements of the service control policies; None is FullAWSAccess."""
        found = self.account(account)
        return found.scp if found.scp is not None else self.units.get(found.parent)

    def may_manage_org_trails(self, account):
        org = self.organization_of(account)
        return org is not None and (account == org.management or account in org.delegated)

    # -- topics --------------------------------------------------------------------------------------------------
    def add_topic(self, arn, content_dedup=False, policy=None, subscriptions=None, kms_key=None):
        """subscriptions: a list of {"protocol", "endpoint", "pending"}; None: one mail address that has confirmed."""
        parts = arn.split(":")
        if len(parts) != 6 or parts[2] != "sns":
            raise ValueError(f"not a topic ARN: {arn}")
        self.account(parts[4])
        self.gone.discard(arn)
        own_policy = policy is not None
        if policy is None:
            policy = [{"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": parts[4]},
                       "Action": "sns:*", "Resource": arn}]
        topic = Topic(arn, parts[4], parts[3], parts[5], iam.statements(policy), content_dedup,
                      subscriptions=[dict(one) for one in (SUBSCRIBED if subscriptions is None else subscriptions)], kms_key=kms_key,
                      own_policy=own_policy)
        self.topics[arn] = topic
        return topic

    # -- findings ------------------------------------------------------------------------------------------------
    def fail(self, kind, text, **details):
        """Note something that a test must not overlook: kind signature, skew, credentials, shape, self, imdsv1."""
        with self.changed:
            self.failures.append({"kind": kind, "text": text, "time": time.monotonic(), **details})
            self.changed.notify_all()
