# SPDX-License-Identifier: Apache-2.0
"""The control interface: HTTP with JSON under /_sim/ on a port of its own. A verb is a method of Control whose name does
not begin with an underscore; GET passes the query string as arguments, POST a JSON object."""

import dataclasses
import fnmatch
import inspect
import json
import time
from urllib.parse import parse_qsl

from . import container, destinations, history, iam, imds, scenario, trails
from .http import Response
from .shapes import is_of_tomorrow

# What `trail` may set directly, beside members of the Trail shape.
TRAIL_FIELDS = {"selectors", "advanced", "insights", "tags", "configuration", "started", "stopped", "delivered", "digested",
                "delivery_stopped", "errors", "status"}


class Control:
    """One instance a server; every method runs with the state locked except where it waits."""

    def __init__(self, state, app, listeners, stop):
        self._state = state
        self._app = app
        self._listeners = listeners
        self._stop = stop

    # -- plumbing ----------------------------------------------------------------------------------------------------
    def _handle(self, request):
        try:
            verb = request.path.removeprefix("/_sim/").rstrip("/") if request.path.startswith("/_sim/") else "_"
            if verb == "":
                return self._reply(200, self.help())
            method = getattr(self, verb, None)
            if verb.startswith("_") or method is None:
                return self._reply(404, {"error": f"no such verb; see {self._listeners['control'].url}/_sim/"})
            arguments = json.loads(request.body) if request.body else dict(parse_qsl(request.query))
            return self._reply(200, method(**arguments))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return self._reply(400, {"error": f"{type(error).__name__}: {error}"})
        except Exception as error:      # an AwsError from a name check, say
            return self._reply(400, {"error": str(error)})

    @staticmethod
    def _reply(status, value):
        return Response(status, [("Content-Type", "application/json")], json.dumps(value, default=list).encode() + b"\n")

    def help(self):
        """The verbs with their arguments."""
        return {name: f"{inspect.signature(method)} {inspect.getdoc(method) or ''}"
                for name, method in inspect.getmembers(self, inspect.ismethod) if not name.startswith("_")}

    # -- the server --------------------------------------------------------------------------------------------------
    def health(self):
        """Where everything listens, and how many connections there were."""
        return {name: {"url": listener.url, "accepted": listener.accepted, "open": len(listener.connections),
                       "handshake_failures": listener.handshake_failures}
                for name, listener in self._listeners.items()}

    def shutdown(self):
        """End the server."""
        self._stop.set()
        return {}

    def reset(self):
        """Forget everything: accounts, trails, faults, logs, the clock's offset."""
        for name in ("aws", "imds"):
            if self._listeners[name].mode != "normal":
                self._listeners[name].set_mode("normal")
        with self._state.changed:
            self._state.reset()
            self._state.offset = 0.0
            self._app.faults.remove()
            self._app.quotas.buckets.clear()
            self._state.changed.notify_all()
        return {}

    def drop_connections(self, listener="aws"):
        """Close every open connection of a listener, as AWS does with idle ones."""
        return {"dropped": self._listeners[listener].drop_connections()}

    def network(self, mode, listener="aws"):
        """How a listener looks from outside: normal, refused (connections are refused) or silent (they are taken, and
        nothing is ever said, not even a TLS handshake)."""
        self._listeners[listener].set_mode(mode)
        return {}

    def clock(self, offset=None):
        """The simulator's time; `offset` seconds are added to the host clock from now on."""
        with self._state.changed:
            if offset is not None:
                self._state.offset = float(offset)
                self._state.changed.notify_all()
            return {"offset": self._state.offset, "now": self._state.now()}

    def settings(self, **changes):
        """Read or change the settings."""
        with self._state.lock:
            scenario.set_settings(self._state, changes)
            return dict(self._state.settings)

    # -- setting up --------------------------------------------------------------------------------------------------
    def load(self, **document):
        """Add a whole scenario."""
        scenario.load(self._state, self._app.faults, document)
        return {}

    def account(self, id, **fields):
        """Add an account, or change one that is there."""
        with self._state.changed:
            if id in self._state.accounts:
                fields = {**{field.name: getattr(self._state.accounts[id], field.name)
                             for field in dataclasses.fields(self._state.accounts[id]) if field.name != "id"}, **fields}
            return dataclasses.asdict(self._state.add_account(id, **fields))

    def user(self, name, account, **fields):
        """Add a user with an access key; answers the key with its secret."""
        with self._state.lock:
            key = self._state.add_user(name, account, **fields)
            return {"access_key": key.id, "secret": key.secret, "token": key.token, "arn": key.principal.arn}

    def policy(self, principal, policy):
        """Replace the identity policy of a user or role, given by ARN."""
        with self._state.lock:
            owners = [*self._state.users.values(), *self._state.roles.values()]
            sessions = [key.principal for key in self._state.keys.values() if key.principal.issuer_arn == principal]
            found = [owner for owner in owners if owner.arn == principal] + sessions
            if not found:
                raise ValueError(f"no user or role {principal}")
            for owner in found:
                owner.policy = iam.statements(policy)
            return {}

    def key(self, access_key, **changes):
        """Change a key: active, secret, token, expires."""
        with self._state.lock:
            key = self._state.keys[access_key]
            for name, value in changes.items():
                if name not in ("active", "secret", "token", "expires"):
                    raise ValueError(f"a key has no {name}")
                setattr(key, name, value)
            return {}

    def role(self, name, account, **fields):
        """Add a role, or put another one in its place."""
        with self._state.lock:
            arn = self._state.add_role(name, account, **fields).arn
            destinations.note(self._state)
            return {"arn": arn}

    def unit(self, id, scp=None):
        """Describe an organizational unit: the statements of its service control policies."""
        with self._state.lock:
            self._state.units[id] = None if scp is None else iam.statements(scp)
            return {}

    def unbound(self, arn):
        """A role or user has no permissions boundary any more, and no policy but its own."""
        with self._state.changed:
            self._state.judge.boundaries.pop(arn, None)
            self._state.judge.attached.pop(arn, None)
            destinations.note(self._state)
            return {}

    def restored(self, arn):
        """A log group that somebody deleted is there again."""
        with self._state.changed:
            self._state.gone.discard(arn.removesuffix(":*"))
            destinations.note(self._state)
            return {}

    def organization(self, **fields):
        """Set the organization."""
        with self._state.lock:
            scenario.set_organization(self._state, **fields)
            return {}

    def add_trail(self, **fields):
        """Add a trail; fields as in a scenario."""
        with self._state.changed:
            arn = scenario.add_trail(self._state, **fields).arn
            self._state.changed.notify_all()
            return {"arn": arn}

    def trail(self, arn, delete=False, logging=None, settings=None, **changes):
        """Read a trail, or change it behind CloudTrail's back: nothing of it enters the event history."""
        with self._state.changed:
            trail = self._state.trails[arn]
            if delete:
                del self._state.trails[arn]
            if logging is not None:
                trails.set_logging(self._state, trail, logging)
            unknown = {name for name in set(settings or {}) - set(trails.FLAGS) - set(trails.TEXTS) if not is_of_tomorrow(name)}
            unknown |= set(changes) - TRAIL_FIELDS
            if unknown:
                raise ValueError(f"a trail has no {', '.join(sorted(unknown))}")
            trail.settings.update(settings or {})
            for name, value in changes.items():
                setattr(trail, name, value)
            destinations.note(self._state)
            self._state.changed.notify_all()
            return self._trail(trail)

    def _trail(self, trail):
        return {**dataclasses.asdict(trail), "status_now": trails.status(self._state, trail)}

    def trails(self):
        """All trails."""
        with self._state.lock:
            return [self._trail(trail) for trail in self._state.trails.values()]

    def topic(self, arn, delete=False, policy=None, **fields):
        """Add, change (policy, subscriptions, kms_key) or delete a topic."""
        with self._state.changed:
            if delete:
                self._state.topics.pop(arn)
                self._state.gone.add(arn)
            elif arn in self._state.topics and (policy is not None or fields):
                topic = self._state.topics[arn]
                if policy is not None:
                    topic.policy, topic.own_policy = iam.statements(policy), True
                topic.subscriptions = fields.get("subscriptions", topic.subscriptions)
                topic.kms_key = fields.get("kms_key", topic.kms_key)
            elif arn not in self._state.topics:
                self._state.add_topic(arn, policy=policy, **fields)
            destinations.note(self._state)
            return {}

    def bucket(self, name, **fields):
        """Describe a bucket: missing, denied (CloudTrail and S3 are refused), owner, region, policy, lifecycle (rules of
        id, status, prefix, days), versioning, payer (BucketOwner or Requester). Fields not given keep what they were."""
        unknown = set(fields) - {"missing", "denied", "owner", "region", "policy", "lifecycle", "versioning", "payer"}
        if unknown:
            raise ValueError(f"a bucket has no {', '.join(sorted(unknown))}")
        with self._state.lock:
            self._state.buckets[name] = {**self._state.buckets.get(name, {}), **fields}
            destinations.note(self._state)
            return self._state.buckets[name]

    def kms_key(self, arn, **fields):
        """Describe a KMS key: state (KeyState; null when it is gone), deletion, manager, store, policy (a document; null: one
        that lets CloudTrail in). Fields not given keep what they were."""
        with self._state.lock:
            found = scenario.set_kms_key(self._state, arn, **fields)
            destinations.note(self._state)
            return found

    def imds(self, **fields):
        """Set the instance behind the metadata service, change some of its fields, or read it (no arguments)."""
        with self._state.lock:
            if "account" in fields:
                self._state.imds = imds.Instance(self._state, **fields)
            elif self._state.imds:
                for name, value in fields.items():
                    if name not in ("role", "region", "lifetime", "renew_before", "enabled", "code", "tokens", "key"):
                        raise ValueError(f"the instance has no {name}")
                    setattr(self._state.imds, name, value)
            instance = self._state.imds
            return {"unauthenticated": instance.unauthenticated, "issued": instance.issued,
                    "access_key": instance.key.id if instance.key else None} if instance else {}

    def container(self, **fields):
        """Set the task behind the container credentials endpoint (account, role, token, lifetime), or read it."""
        with self._state.lock:
            if fields:
                self._state.container = container.Task(self._state, **fields)
            task = self._state.container
            return {"issued": task.issued, "access_key": task.key.id if task.key else None} if task else {}

    def web_identity(self, token, role, subject="system:serviceaccount:default:trailguard", provider="oidc.example.org",
                     expired=False):
        """Make a web identity token known as good (or expired) for a role, given by ARN."""
        with self._state.lock:
            self._state.web_tokens[token] = {"role": role, "subject": subject, "provider": provider, "expired": expired}
            return {}

    # -- trouble -----------------------------------------------------------------------------------------------------
    def add_fault(self, **fault):
        """Add a fault; answers its id."""
        return {"id": self._app.faults.add(fault)}

    def remove_fault(self, id=None):
        """Remove one fault, or all."""
        with self._state.changed:
            self._app.faults.remove(id)
            self._state.changed.notify_all()    # of what is held
        return {}

    def faults(self):
        """The active faults with their hits."""
        return self._app.faults.list()

    # -- looking -----------------------------------------------------------------------------------------------------
    def requests(self, since=0, limit=None, **match):
        """The request log after number `since`; `match` compares fields (globs; lists are alternatives)."""
        with self._state.lock:
            found = _RequestsFrom(self._state, int(since), match)()
            return found[-int(limit):] if limit else found

    def last_request(self):
        """The number of the newest request, to pass as `since`."""
        with self._state.lock:
            return {"number": self._state.sequence}

    def messages(self, topic, since=0):
        """Messages delivered to a topic, after the first `since`."""
        with self._state.lock:
            return self._state.topics[topic].messages[int(since):] if topic in self._state.topics else []

    def published(self, topic):
        """How many Publish calls a topic accepted, duplicates included, and how many messages it delivered."""
        with self._state.lock:
            return {"accepted": self._state.topics[topic].published, "delivered": len(self._state.topics[topic].messages)}

    def failures(self, clear=False, **match):
        """What a test must not overlook: bad signatures, bad shapes, our own mistakes."""
        with self._state.lock:
            found = [failure for failure in self._state.failures if _fits(failure, match)]
            if clear:
                self._state.failures.clear()
            return found

    def events(self, **match):
        """The event history as recorded, whether LookupEvents shows it yet or not."""
        with self._state.lock:
            return [{"account": entry["account"], "region": entry["region"], "visible": entry["visible"],
                     **json.loads(entry["event"]["CloudTrailEvent"])} for entry in self._state.history
                    if _fits({**entry, **entry["event"]}, match)]

    def add_event(self, account, region, record, resources=(), time=None):
        """Put a record into the event history by hand."""
        with self._state.lock:
            history.add(self._state, account, region, record, [tuple(pair) for pair in resources], time)
            return {}

    def decisions(self):
        """Which policy statements decided something, and what was denied."""
        with self._state.lock:
            return self._state.judge.report()

    def wait(self, what, timeout=10, count=1, since=0, topic=None, arn=None, **match):
        """Wait for `count` requests, messages, failures or events that match, or for a trail (arn) whose
        `status_now` and fields match. Answers {"ok": bool, "found": [...]} at the deadline at the latest."""
        looks = {"requests": _RequestsFrom(self._state, int(since), match), "messages": lambda: self.messages(topic, since),
                 "failures": lambda: self.failures(**match),
                 "events": lambda: self.events(**match), "trail": lambda: self._trail_fits(arn, match)}
        deadline = time.monotonic() + float(timeout)
        with self._state.changed:
            while True:
                found = looks[what]()
                if len(found) >= int(count):
                    return {"ok": True, "found": found}
                left = deadline - time.monotonic()
                if left <= 0:
                    return {"ok": False, "found": found}
                self._state.changed.wait(min(left, 0.5 if self._stop.is_set() else left))
                if self._stop.is_set():
                    return {"ok": False, "found": found}

    def _trail_fits(self, arn, match):
        trail = self._state.trails.get(arn)
        if trail is None:
            return []
        whole = self._trail(trail)
        return [whole] if _fits({**whole, **whole["settings"], **whole["status_now"]}, match) else []


class _RequestsFrom:
    """The matching requests after a number; each call looks only at what came since the call before."""

    def __init__(self, state, since, match):
        self.state, self.since, self.match, self.found = state, since, match, []

    def __call__(self):
        fresh = []
        for entry in reversed(self.state.requests):
            if entry["number"] <= self.since:
                break
            if _fits(entry, self.match):
                fresh.append(entry)
        self.since = self.state.sequence
        self.found += reversed(fresh)
        return self.found


def _fits(entry, match):
    for name, wanted in match.items():
        value = entry.get(name)
        options = wanted if isinstance(wanted, list) else [wanted]
        if isinstance(value, str):
            if not any(isinstance(option, str) and fnmatch.fnmatchcase(value, option) for option in options):
                return False
        elif value not in options and str(value) not in options:
            return False
    return True
