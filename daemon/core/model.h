/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The values that travel between the stages. model_guard.h has what the guard remembers, model_alert.h the
 * finished message. Plain data; nothing owns memory unless it says so. `_usec` is microseconds; `real` is
 * CLOCK_REALTIME (AWS's times), `mono` is CLOCK_BOOTTIME (for waits). 0 means "none". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Now {
    uint64_t real_usec, mono_usec;
} Now;

/* The part of the accounts that this guard has: number 1..total of several guards; total 0: all. */
typedef struct Shard {
    unsigned number, total;
} Shard;

typedef enum Mode {
    MODE_OBSERVE, /* alerts only */
    MODE_RESTART, /* also starts stopped trails */
    MODE_RESTORE, /* also restores what was changed */
    _MODE_MAX,
} Mode;

/* What mode "restore" may write: the values of the option `restore`, as bits. */
typedef enum RestoreKind {
    RESTORE_SETTINGS,  /* UpdateTrail */
    RESTORE_SELECTORS, /* PutEventSelectors */
    RESTORE_INSIGHTS,  /* PutInsightSelectors */
    RESTORE_DELETED,   /* CreateTrail and all of the above, and tags */
    _RESTORE_KIND_MAX,
} RestoreKind;

#define RESTORE_BIT(k) (1u << (k))

/* How trails are treated that appear after the first list of their region: the option `trust_new`. */
typedef enum TrustNew {
    TRUST_ASK,   /* polled; neither recorded nor restored until accepted; the alert asks for that */
    TRUST_WATCH, /* the same, without asking */
    TRUST_KEEP,  /* recorded and guarded like the trails that were there before */
    _TRUST_MAX,
} TrustNew;

/* What is done about an identity that attacks trails: the option `contain.mode`. */
typedef enum ContainMode {
    CONTAIN_OFF,
    CONTAIN_PROPOSE, /* an alert has the commands that take its rights away, for a person to run */
    CONTAIN_ENFORCE, /* the guard takes them away if it is sure of the identity; otherwise as PROPOSE */
    _CONTAIN_MODE_MAX,
} ContainMode;

typedef enum Severity {
    SEVERITY_INFO,
    SEVERITY_WARNING,
    SEVERITY_CRITICAL,
    _SEVERITY_MAX,
} Severity;

/* Worst first: a trail's verdict is the first that applies. */
typedef enum Verdict {
    VERDICT_MISSING,
    VERDICT_STOPPED,
    VERDICT_INTERRUPTED,
    VERDICT_WEAKENED,
    VERDICT_FAILING,
    VERDICT_UNKNOWN,
    VERDICT_PROTECTED,
    VERDICT_LOGGING,
    _VERDICT_MAX,
} Verdict;

/* What can be wrong with a trail, worst first. Several can apply at once, as bits (1u << FINDING_x). */
typedef enum Finding {
    FINDING_MISSING,
    FINDING_STOPPED,
    FINDING_INTERRUPTED, /* an event, not a condition: never stays set */
    FINDING_REPLACED,    /* deleted and created again between two polls; also an event */
    FINDING_WEAKENED,    /* differs from the baseline, and events are lost */
    FINDING_CHANGED,     /* differs from the baseline without loss of events */
    FINDING_UNMET, /* does not meet a new pin of the configuration; nobody changed the trail */
    FINDING_DELIVERY,             /* LatestDeliveryError */
    FINDING_DIGEST,               /* LatestDigestDeliveryError */
    FINDING_LOG_GROUP,            /* LatestCloudWatchLogsDeliveryError */
    FINDING_NOTIFICATION,         /* LatestNotificationError */
    FINDING_STALE,                /* logs, but nothing was delivered for stale_after */
    FINDING_BUCKET,               /* bucket_checks: gone, of another owner, or closed to CloudTrail */
    FINDING_LIFECYCLE,            /* bucket_checks: a rule deletes log files early */
    FINDING_KEY,                  /* bucket_checks: the KMS key cannot be used */
    FINDING_SELECTORS_UNREADABLE, /* GetEventSelectors fails; from here on in the order of Unreadable */
    FINDING_INSIGHTS_UNREADABLE,
    FINDING_TAGS_UNREADABLE,
    FINDING_CONFIGURATION_UNREADABLE,
    FINDING_BUCKET_UNREADABLE,
    FINDING_LIFECYCLE_UNREADABLE,
    FINDING_POLICY_UNREADABLE,
    FINDING_KEY_UNREADABLE,
    FINDING_LIST_UNREADABLE, /* of a target: DescribeTrails fails, but trails can be polled */
    FINDING_UNREACHABLE,     /* this trail cannot be polled although its target can */
    FINDING_APPEARED,        /* new, and nobody has accepted it: an event */
    _FINDING_MAX,
} Finding;

#define FINDING_BIT(f) (1u << (f))

/* What is read of a trail besides its status, one call each. */
typedef enum Unreadable {
    UNREADABLE_SELECTORS,     /* GetEventSelectors */
    UNREADABLE_INSIGHTS,      /* GetInsightSelectors */
    UNREADABLE_TAGS,          /* ListTags */
    UNREADABLE_CONFIGURATION, /* GetEventConfiguration */
    UNREADABLE_BUCKET,        /* HeadBucket */
    UNREADABLE_LIFECYCLE,     /* GetBucketLifecycleConfiguration */
    UNREADABLE_POLICY,        /* GetBucketPolicy */
    UNREADABLE_KEY,           /* DescribeKey */
    _UNREADABLE_MAX,
} Unreadable;

#define FINDING_UNREADABLE(u) ((Finding)(FINDING_SELECTORS_UNREADABLE + (u)))
#define FINDINGS_UNREADABLE   (((1u << _UNREADABLE_MAX) - 1) << FINDING_SELECTORS_UNREADABLE)
#define FINDINGS_FAILING                                                                                    \
    (FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST) | FINDING_BIT(FINDING_LOG_GROUP) |         \
     FINDING_BIT(FINDING_NOTIFICATION) | FINDING_BIT(FINDING_STALE) | FINDING_BIT(FINDING_BUCKET) |         \
     FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY))
/* Those that come from an error in the status. */
#define FINDINGS_DELIVERY_ERRORS                                                                            \
    (FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST) | FINDING_BIT(FINDING_LOG_GROUP) |         \
     FINDING_BIT(FINDING_NOTIFICATION))
/* Conditions for which an observation has an error text. */
#define FINDINGS_ERRORS (FINDINGS_FAILING | FINDINGS_UNREADABLE)
/* Those that are found by checks besides the status polls. */
#define FINDINGS_BESIDE                                                                                     \
    (FINDING_BIT(FINDING_BUCKET) | FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY) |              \
     FINDINGS_UNREADABLE)
/* Differences caused by a call on the trail ... */
#define FINDINGS_CHANGED (FINDING_BIT(FINDING_WEAKENED) | FINDING_BIT(FINDING_CHANGED))
/* ... and those caused by the configuration. */
#define FINDINGS_DRIFT (FINDINGS_CHANGED | FINDING_BIT(FINDING_UNMET))

/* What an alert is about; trouble is ordered worst first. */
typedef enum EventKind {
    EVENT_TRAIL_MISSING,
    EVENT_TRAIL_REPLACED,
    EVENT_TRAIL_CONTESTED, /* stopped again after each restart */
    EVENT_TRAIL_STOPPED,
    EVENT_TRAIL_INTERRUPTED,
    EVENT_TRAIL_WEAKENED,
    EVENT_TRAIL_FAILING,
    EVENT_EXPECTATION_UNMET,
    EVENT_TRAIL_APPEARED,     /* new since the first list, and not accepted */
    EVENT_TRAIL_STRENGTHENED, /* settings differ, but record or prove more */
    EVENT_TRAIL_ATTRIBUTED,
    EVENT_TRAIL_ATTEMPTED,
    EVENT_INCIDENT_REMINDER,
    EVENT_TRAIL_RESOLVED,
    EVENT_TRAILS_UNACCEPTED, /* of an account: more than are reported one by one */
    EVENT_BASELINE_WEAK,
    EVENT_BASELINE_DAMAGED,
    EVENT_BASELINE_ACCEPTED,
    EVENT_REGION_UNCOVERED,
    EVENT_REGION_COVERED,
    EVENT_ACCOUNT_LEFT,
    EVENT_TARGET_UNREACHABLE,
    EVENT_TARGET_REACHABLE,
    EVENT_CHANNEL_FAILED,
    EVENT_CHANNEL_RECOVERED,
    EVENT_CHANNEL_UNHEARD, /* it accepts messages, but nobody receives them */
    EVENT_CHANNEL_HEARD,
    EVENT_IDENTITY_CONTAINED, /* an identity that attacks trails lost its rights, or was to */
    EVENT_IDENTITY_RELEASED,
    EVENT_GUARD_RIGHTS_LOST, /* IAM would deny what the guard needs */
    EVENT_GUARD_RIGHTS_RESTORED,
    EVENT_ORGANIZATION_UNREADABLE, /* AWS does not list its accounts */
    EVENT_ORGANIZATION_READABLE,
    EVENT_GUARD_CHANGED, /* its users, roles or topics changed */
    EVENT_GUARD_TEST,
    EVENT_GUARD_DRILL, /* what a drill did to a trail, in alerts; Event.kind says what it was */
    _EVENT_MAX,
} EventKind;

/* ---- who and where ---- */

/* What an alert, a journal line or a table row is about. The strings are borrowed from the engine and
 * outlive the value; "" if unknown. A target has no arn and no name, a whole account also no region. A named
 * trail that was never found has a name and no ARN. */
typedef struct Subject {
    const char *name;
    const char *arn;
    const char *account; /* 12 digits */
    const char *region;  /* the trail's home region, or the target's */
} Subject;

/* Why several regions or accounts have trouble at once: a common cause is one incident with a list. */
typedef enum CauseKind {
    CAUSE_OWN,         /* nothing in common: reported by itself */
    CAUSE_CLOSED,      /* a service control policy denies these regions of an account; others answer */
    CAUSE_CREDENTIALS, /* AWS rejects the keys */
    CAUSE_UNCOVERED,   /* no trail records these regions of an account */
    CAUSE_ROLE,        /* AWS does not let the guard assume its role in these accounts */
    CAUSE_OUTAGE,      /* a region does not answer any account */
    _CAUSE_MAX,
} CauseKind;

/* ---- a trail's settings ---- */

/* What a baseline records of a trail, by the names of CloudTrail's API (field_to_string). */
typedef enum Field {
    FIELD_BUCKET,        /* S3BucketName */
    FIELD_PREFIX,        /* S3KeyPrefix */
    FIELD_KMS_KEY,       /* KmsKeyId */
    FIELD_LOG_GROUP,     /* CloudWatchLogsLogGroupArn */
    FIELD_LOG_ROLE,      /* CloudWatchLogsRoleArn */
    FIELD_SNS_TOPIC,     /* SnsTopicARN */
    FIELD_MULTI_REGION,  /* IsMultiRegionTrail */
    FIELD_GLOBAL_EVENTS, /* IncludeGlobalServiceEvents */
    FIELD_VALIDATION,    /* LogFileValidationEnabled */
    FIELD_ORGANIZATION,  /* IsOrganizationTrail */
    FIELD_RECURSIVE,     /* RecursiveLogging */
    FIELD_SELECTORS,     /* {"EventSelectors":[...]} or {"AdvancedEventSelectors":[...]} */
    FIELD_INSIGHTS,      /* InsightSelectors, a JSON array */
    FIELD_CONFIGURATION, /* EventConfiguration: a JSON object, the answer to GetEventConfiguration */
    FIELD_TAGS,          /* a JSON object, {"key":"value"} */
    FIELD_UNKNOWN, /* UnknownSettings: members of Trail that this version does not know, a JSON object */
    _FIELD_MAX,
} Field;

#define FIELD_BIT(f) (1u << (f))
#define FIELDS_ALL   (FIELD_BIT(_FIELD_MAX) - 1)
/* Not returned by older partitions, or by AWS before it had the setting: a baseline is complete without. */
#define FIELDS_OPTIONAL                                                                                     \
    (FIELD_BIT(FIELD_RECURSIVE) | FIELD_BIT(FIELD_CONFIGURATION) | FIELD_BIT(FIELD_UNKNOWN))
/* Recorded and compared, but cannot be written. */
#define FIELDS_UNWRITABLE FIELD_BIT(FIELD_UNKNOWN)
/* What UpdateTrail and CreateTrail write: all fields before the selectors. */
#define FIELDS_TRAIL (FIELD_BIT(FIELD_SELECTORS) - 1)

/* Every field is text: "true" or "false" for switches, "" for not set, JSON for the last five. NULL: unknown
 * (not read or not answered), never a difference. Owns its texts; free with settings_done. A baseline also
 * has the account that owns its bucket (12 digits). */
#define SETTING_BUCKET_OWNER _FIELD_MAX
typedef struct Settings {
    char *values[_FIELD_MAX + 1];
} Settings;

/* What the option `expect` pins. A pin overrides the recording. */
typedef enum ManagementEvents {
    MANAGEMENT_NOT_PINNED,
    MANAGEMENT_ALL,
    MANAGEMENT_WRITE,
    MANAGEMENT_READ,
    _MANAGEMENT_MAX,
} ManagementEvents;

typedef struct Expect {
    Settings pins;                      /* NULL: not pinned */
    ManagementEvents management_events; /* the minimum that the selectors must record */
} Expect;

/* One difference between baseline and trail. Owns its texts ("" for not set). */
typedef struct Change {
    Field field;
    bool loses_events; /* something in the baseline is no longer recorded */
    char *expected, *actual;
    bool as_recorded; /* the actual value is the recorded one: only a pin differs */
    bool strengthens; /* it records or proves more than before, and no pin forbids that */
} Change;

typedef struct Drift {
    Change changes[_FIELD_MAX]; /* in the order of the fields, each at most once */
    unsigned n;
} Drift;

/* Who owns the bucket that a trail delivers to. */
typedef enum Destination {
    DESTINATION_UNKNOWN, /* S3 was not asked, or did not say */
    DESTINATION_FOREIGN, /* an account that is not guarded */
    DESTINATION_GUARDED, /* a guarded account */
    DESTINATION_USED,    /* an accepted trail delivers there too */
    _DESTINATION_MAX,
} Destination;

/* ---- observations ---- */

/* Why a poll failed. Coarse, because only the guard's decisions and people need it. */
typedef enum PollError {
    POLL_OK,
    POLL_DENIED,
    POLL_THROTTLED,
    POLL_UNREACHABLE, /* network, TLS, timeouts */
    POLL_CREDENTIALS, /* none, expired, or rejected */
    POLL_BAD_ANSWER,
    POLL_SERVICE, /* AWS failed (5xx) or refused in an unknown way */
    POLL_GONE,    /* the account left the organization, or was suspended or closed */
    _POLL_ERROR_MAX,
} PollError;

#define ERROR_TEXT_MAX 448
#define CODE_TEXT_MAX  64
#define REQUEST_ID_MAX 64

typedef enum ObservationKind {
    OBSERVED_STATUS, /* GetTrailStatus answered */
    OBSERVED_ABSENT, /* not found: DescribeTrails and GetTrailStatus in the home region agree */
    OBSERVED_ERROR,  /* could not be polled */
} ObservationKind;

/* One poll of one trail. */
typedef struct Observation {
    ObservationKind kind;
    /* OBSERVED_STATUS; times are real, from AWS */
    bool is_logging;
    uint64_t start_usec;    /* StartLoggingTime */
    uint64_t stop_usec;     /* StopLoggingTime */
    uint64_t delivery_usec; /* LatestDeliveryTime */
    uint64_t digest_usec;   /* LatestDigestDeliveryTime */
    char delivery_error[CODE_TEXT_MAX];
    char digest_error[CODE_TEXT_MAX];
    char log_group_error[CODE_TEXT_MAX];
    char notification_error[CODE_TEXT_MAX];
    /* bucket_checks, as last checked; "" when well or not checked */
    char bucket_error[CODE_TEXT_MAX];
    char lifecycle_error[CODE_TEXT_MAX];
    char key_error[CODE_TEXT_MAX];
    char unreadable[_UNREADABLE_MAX][ERROR_TEXT_MAX]; /* failed unreachable_after times in a row; raw */
    /* OBSERVED_ERROR */
    PollError error;
    bool held_back;        /* by our own rate limiter: AWS was not asked, so nothing is known to be wrong */
    bool target_reachable; /* other calls to the target were answered: only this trail cannot be polled */
    bool target_pending;   /* none was answered, but the target does not count as unreachable yet */
    char error_text[ERROR_TEXT_MAX];
} Observation;

/* One poll of one target, after all its calls have ended. */
typedef struct PollResult {
    uint64_t began_usec; /* mono; 0: just now. Polls of a target may overlap and end in another order */
    bool held_back;      /* not reachable, but no call failed: our own rate limiter held all of them back */
    bool reachable;      /* at least one call was answered, or refused for one trail only */
    bool not_enabled;    /* the account has not enabled this region: nothing to guard */
    PollError error;     /* when not reachable */
    char error_text[ERROR_TEXT_MAX];
    bool list_read;       /* DescribeTrails was answered ... */
    PollError list_error; /* ... or failed while other calls were answered: the error; else POLL_OK */
    char list_error_text[ERROR_TEXT_MAX]; /* raw */
    bool listed;                          /* the poll included a successful DescribeTrails ... */
    bool covered;         /* ... and some trail records here, or one did that has its own incident */
    CauseKind cause;      /* if not reachable: what it has in common with others */
    bool cover_is_shared; /* if not covered: reported together with other regions */
} PollResult;

/* ---- actions ---- */

typedef enum Action {
    ACTION_NONE,
    ACTION_RESTART,
    ACTION_RESTORE,
    ACTION_RECREATE,
    _ACTION_MAX,
} Action;

#define ACTION_BIT(a) (1u << (a))
#define ACTIONS_ALL   (ACTION_BIT(ACTION_RESTART) | ACTION_BIT(ACTION_RESTORE) | ACTION_BIT(ACTION_RECREATE))

typedef enum ActionResult {
    RESULT_NONE,
    RESULT_CONFIRMED, /* confirmed by reading back */
    RESULT_FAILED,
    RESULT_PENDING, /* no answer yet */
    _RESULT_MAX,
} ActionResult;

/* The outcome of an action. */
typedef struct Outcome {
    Action action;
    ActionResult result;  /* CONFIRMED or FAILED */
    Observation seen;     /* RESTART, RECREATE, CONFIRMED: the poll that confirmed it; stopped if it was
                             stopped again since */
    uint32_t fields_left; /* RESTORE; RECREATE, CONFIRMED: what differs at read-back; all if there is none */
    char error_code[CODE_TEXT_MAX];  /* FAILED: AWS's; "" if AWS did not refuse */
    char error_text[ERROR_TEXT_MAX]; /* FAILED */
    char request_id[REQUEST_ID_MAX]; /* AWS's, of the failed write or the last accepted one; or "" */
} Outcome;

typedef struct ActionReport {
    Action taken;
    ActionResult result;
    unsigned attempts;
} ActionReport;

typedef struct Gap {
    uint64_t from_usec; /* real; StopLoggingTime */
    uint64_t to_usec;   /* real; StartLoggingTime; 0 while it lasts */
} Gap;

/* ---- callers ---- */

#define ACTOR_TEXT_MAX 256
#define ACTOR_ARN_MAX  704 /* ARN_MAX: a truncated ARN can equal another one */

/* The caller of a recorded API call. Raw texts, truncated to their size: escape before showing. */
typedef struct Actor {
    char type[32];             /* userIdentity.type: "IAMUser", "AssumedRole", "Root", "AWSService", ... */
    char arn[ACTOR_ARN_MAX];   /* "" if there is none (a service) */
    char name[ACTOR_TEXT_MAX]; /* for people: "bob", "Admin/alice", "root", "config.amazonaws.com" */
    char account[16];
    char issuer[ACTOR_ARN_MAX]; /* ARN of the session's role or user; "": not in the record */
    char invoked_by[128];     /* a service that called on the caller's behalf */
    char source_identity[72]; /* who the session was opened for */
    char on_behalf_of[64];    /* user id in IAM Identity Center ... */
    char identity_store[128]; /* ... and the ARN of its store */
    char delegate[16];        /* account of a product provider with delegated access */
    bool assumed_root;        /* root, by a session of AssumeRoot from another account */
    char source_ip[64];
    char user_agent[ACTOR_TEXT_MAX];
    char access_key[32];
    char event_id[64];
    char event_name[64];
    char error_code[64]; /* of a refused attempt; "" if the call succeeded */
    uint64_t event_usec; /* real */
    char departure[16];  /* of AccountDepartedOrganization, which is no call: LEFT, ...; else "" */
    bool unnamed_guard;  /* its user agent is TrailGuard's in a guard's call, and no option names it */
    bool omitted;        /* the call was too long: AWS did not record which trail it was about */
    bool closes, perhaps; /* within a search: its policy keeps CloudTrail out; it may have had no effect */
} Actor;

/* Whether an identity that attacks trails is to be contained. */
typedef enum ContainVerdict {
    CONTAIN_NOTHING,
    CONTAIN_PROPOSED,
    CONTAIN_ENFORCED, /* it is about to be */
    CONTAIN_REFUSED,
} ContainVerdict;

#define CONTAIN_NAME_MAX 65

typedef struct Containment {
    ContainVerdict verdict;
    char arn[ACTOR_ARN_MAX];  /* ARN of the user or role, not of a session */
    char partition[24], account[16], name[CONTAIN_NAME_MAX];
    bool is_role;
    bool war;              /* because it stops a trail again after each restart ... */
    unsigned n_tamperings; /* ... else because it tampered this often within an hour */
    uint64_t time_usec;    /* real; now */
    const char *why_not;   /* REFUSED; PROPOSED in mode enforce: why it is only proposed */
} Containment;

/* See model_guard.h. */
typedef struct ContainHold ContainHold;

/* The result of a containment. */
typedef enum ContainStep {
    CONTAIN_STEP_ABOUT,     /* the policy is about to be put */
    CONTAIN_STEP_HELD,      /* it was put and read back */
    CONTAIN_STEP_FAILED,    /* it could not be put; retried */
    CONTAIN_STEP_REMOVED,   /* others removed or changed it; it will be put again */
    CONTAIN_STEP_GIVEN_UP,  /* ... too often: it will not */
    CONTAIN_STEP_GONE,      /* the user or role does not exist any more */
    CONTAIN_STEP_RELEASED,  /* the policy was removed on request */
    CONTAIN_STEP_STUCK,     /* ... it could not be; retried */
    _CONTAIN_STEP_MAX,
} ContainStep;

/* What is known of an incident's present episode besides the deciding state: only shown. */
typedef struct Episode {
    Action failed;        /* the last failed attempt; NONE: none, or one was confirmed since */
    unsigned n_attempts;  /* number of that attempt */
    uint64_t failed_usec; /* real */
    char failed_code[CODE_TEXT_MAX];  /* AWS's; "" if AWS did not refuse */
    char failed_text[ERROR_TEXT_MAX]; /* raw */
    bool has_actor;
    Actor actor; /* who caused it, as last reported */
} Episode;

#define OPENINGS_MAX 8
#define ATTEMPTS_MAX 4
#define CANDIDATES_MAX 8

/* The result of one search of the event history. */
typedef struct Attribution {
    bool searched;  /* false: the search failed, error_text has the reason */
    bool throttled; /* ... because other callers used up the quota of LookupEvents */
    bool found;
    Actor actor;                  /* found: the caller behind the incident's latest trouble */
    bool incomplete;              /* found: another call may be the cause, and may still appear */
    Actor candidates[CANDIDATES_MAX]; /* calls of which one is the cause, oldest first */
    unsigned n_candidates;            /* 0: the actor is the cause. During a search: all possible causes */
    bool more_candidates;             /* there are more than were kept */
    unsigned n_records;           /* read in this search */
    uint64_t reached_usec;        /* real; older records would take too many calls; 0: all were read */
    Actor attempts[ATTEMPTS_MAX]; /* refused attempts on the trail since the last search, oldest first */
    unsigned n_attempts;
    uint64_t bucket_open_usec[OPENINGS_MAX], key_open_usec[OPENINGS_MAX]; /* newest that admit CloudTrail */
    char error_text[ERROR_TEXT_MAX];
} Attribution;

/* ---- reports ---- */

typedef enum EventPhase {
    PHASE_OPENED,   /* first message of an incident, or a new kind of trouble in it */
    PHASE_REOPENED, /* again within 300 s after it ended, or another gap */
    PHASE_RESOLVED,
    PHASE_REMINDER,
    PHASE_SUMMARY, /* several reopenings reported as one */
    _EVENT_PHASE_MAX,
} EventPhase;

/* Gaps that were not reported one by one. */
typedef struct Repeats {
    unsigned count;
    uint64_t first_usec; /* real; start of the first gap */
    uint64_t last_usec;  /* real; end of the last gap */
    uint64_t total_usec; /* sum of the gaps' lengths */
} Repeats;

/* All that an alert says about a change of an incident; with its Subject, the input of alert.c. */
typedef struct Event {
    EventKind kind;
    EventPhase phase;
    Severity severity;
    unsigned sequence;            /* 1.. within the incident */
    uint64_t incident_dedup_usec; /* with the subject: the incident's identity, equal for two guards */
    const Subject *incident_of;   /* borrowed; ... its subject, if several share the incident; else NULL */
    uint64_t dedup_usec;          /* with subject and kind: the message's identity */
    uint64_t opened_usec;         /* real; when the incident began */
    uint64_t reopened_usec;       /* real; when its present episode began; 0: the first */
    uint64_t time_usec;           /* real; now */
    uint64_t since_usec;          /* real; when the message's subject matter began; 0: with the episode */
    uint32_t findings;            /* present FINDING_BITs */
    uint32_t about; /* FINDING_BITs of the message, and events; resolved: the last that ended */
    bool first_sight; /* it was so at the first poll of the trail */
    bool resolves;    /* the incident ends with this message, or had ended before */
    bool may_act;     /* false: the mode or the trail's owner forbids actions */
    bool protected;   /* an organization trail, polled from a member account */
    bool foreign;     /* another account's organization trail; it may be writable nevertheless */
    Mode mode;
    Gap gap;
    ActionReport action;    /* a restore if the message is about one, else a restart */
    ActionReport restore;   /* the latest restore of settings or of the trail */
    Repeats repeats; /* PHASE_SUMMARY; trail.attempted: earlier ones not reported; else 0 */
    Repeats contest;        /* trail.contested: all stops since it began */
    unsigned n_unpolled_restarts; /* restarts sent although the trail cannot be polled ... */
    bool unpolled_accepted;       /* ... and AWS accepted the last one */
    bool never_seen;        /* the trail is named, and was never found */
    PollError error;        /* unreachable */
    unsigned n_failed;      /* unreachable: failed polls in a row */
    unsigned n_reminders;   /* PHASE_REMINDER: 1.. */
    EventKind still;        /* PHASE_REMINDER: what is still so, if the findings do not say it; else 0 */
    unsigned n_accounts;    /* organization.unreadable: accounts that are known, and polled as before */
    uint32_t fields;        /* changed FIELD_BITs, if the message is about them */
    uint32_t fields_left;   /* ... those that still differ */
    uint32_t fields_others; /* ... those that no longer differ, where TrailGuard may not write */
    bool unmet;             /* all of these differ from a new pin only: nobody changed them */
    bool accepted;          /* they no longer differ because they were accepted as the baseline ... */
    bool reconfigured;      /* ... or because the configuration changed */
    uint64_t changed_usec;  /* real; when they were first found to differ */
    unsigned n_restores;    /* restores within this hour */
    const Drift *changes;   /* borrowed; the engine adds it to messages with fields; else NULL */
    bool provisional;       /* nobody has accepted the trail */
    bool asked;             /* ... and the message asks for that */
    Destination standing;   /* trail.appeared: who owns the bucket ... */
    const Settings *delivers; /* ... and where the trail delivers; borrowed; added by the engine, which also
                                 adds the bucket's account or trail to detail; else NULL */
    bool restores_paused;     /* max_restores_per_hour was reached */
    bool maintenance;         /* in a maintenance window */
    bool drill;               /* `trailguard drill` stopped the trail, or tagged it */
    bool nobody;              /* trail.attributed: nobody was found ... */
    unsigned n_records;       /* ... in so many records ... */
    bool unread;              /* ... and there are more than could be read */
    bool forgotten, unnamed; /* no longer guarded: detail has the reason; account not named, see Incident */
    CauseKind cause;          /* of several regions or accounts: what they have in common; else OWN */
    const Subject *members;   /* ... these regions or accounts; borrowed */
    size_t n_members;
    const Subject *rest; /* ... CLOSED: the account's other regions; borrowed ... */
    size_t n_rest;       /* ... 0: none of them answers */
    unsigned n_before;   /* ... how many the previous message listed; 0: there was none */
    bool has_actor;
    Actor actor; /* trail.attributed, .attempted; .contested: the last one, added by the engine */
    const Attribution *doubt; /* trail.attributed of candidates, without an actor; borrowed; else NULL */
    const Containment *contain; /* borrowed; added by the engine to those two if proposed; else NULL */
    const ContainHold *hold; /* identity.contained, identity.released: borrowed; else NULL ... */
    ContainStep step;        /* ... and the step; detail: why it failed, or who released it */
    char detail[ERROR_TEXT_MAX]; /* error codes, or the error of a poll or an action; raw: escape it */
} Event;

/* Lines of the journal: facts that are not alerts, or that precede one. */
typedef enum JournalLine {
    LINE_STOPPED,      /* stopped, and about to be started */
    LINE_DRILL,        /* the trouble is a drill's */
    LINE_STOPPED_LEFT, /* stopped; mode or ownership forbids starting it */
    LINE_INTERRUPTED,
    LINE_RUNNING_AGAIN,     /* our restart was confirmed */
    LINE_STARTED_BY_OTHERS, /* logging again, started by others */
    LINE_CONTESTED,         /* stopped again after each restart: polled as fast as the quota allows */
    LINE_CONTEST_OVER,
    LINE_RESTART_FAILED,
    LINE_STARTED_UNPOLLED, /* StartLogging was sent although the trail cannot be polled */
    LINE_MISSING,
    LINE_REAPPEARED,
    LINE_FAILING,
    LINE_DELIVERING,  /* no longer failing */
    LINE_UNREADABLE,  /* a call that reads settings fails; count: the finding */
    LINE_READABLE,    /* none of them fails any more */
    LINE_POLL_FAILED, /* the first in a row */
    LINE_UNREACHABLE,
    LINE_ACCOUNT_LEFT,
    LINE_REACHABLE,
    LINE_LIST_FAILED, /* the first in a row */
    LINE_LIST_UNREADABLE,
    LINE_LIST_READABLE,
    LINE_NOT_ENABLED,
    LINE_UNCOVERED,
    LINE_COVERED,
    LINE_FIRST_SEEN, /* a trail is guarded from now on */
    LINE_APPEARED,   /* ... only polled, until it is accepted */
    LINE_STRENGTHENED,
    LINE_REPLACED,
    LINE_CHANGED,   /* differs from the baseline; fields */
    LINE_UNMET,     /* does not meet a new pin; fields */
    LINE_RESTORED,  /* our restore was confirmed; fields */
    LINE_UNCHANGED, /* matches the baseline again, not by us; detail says how */
    LINE_RESTORE_FAILED,
    LINE_RESTORES_PAUSED, /* max_restores_per_hour */
    LINE_UNMET_FAILED,    /* the restore of settings that do not meet a new pin ... */
    LINE_UNMET_PAUSED,
    LINE_RECREATIONS_PAUSED,
    LINE_RECREATED,
    LINE_RECREATE_FAILED,
    LINE_ATTRIBUTED,
    LINE_NOBODY_FOUND,
    LINE_CANDIDATES,       /* one of several calls did it; count, detail: which ones */
    LINE_SEARCH_WAITS,     /* AWS throttles the search for who did it */
    LINE_CONTAIN_PROPOSED, /* an identity; detail: which one, and why */
    LINE_CONTAIN_REFUSED,  /* ... and why not */
    LINE_CONTAIN_ABOUT,    /* an identity is about to be contained; detail: which one, and why */
    LINE_CONTAIN_HELD,
    LINE_CONTAIN_FAILED,
    LINE_CONTAIN_REMOVED,
    LINE_CONTAIN_GIVEN_UP,
    LINE_CONTAIN_GONE,
    LINE_CONTAIN_RELEASED,
    LINE_CONTAIN_STUCK,
    LINE_ATTEMPTED,
    LINE_TRAILS_FULL, /* an account has as many trails as are kept */
    LINE_BASELINE_RECORDED,
    LINE_BASELINE_WEAK,
    LINE_BASELINE_DAMAGED,
    LINE_BASELINE_ACCEPTED,
    LINE_GONE_ACCEPTED,
    /* not about trails or targets */
    LINE_CHANNEL_FAILED,
    LINE_CHANNEL_RECOVERED,
    LINE_CHANNEL_UNHEARD,
    LINE_CHANNEL_HEARD,
    LINE_RIGHTS_LOST,
    LINE_RIGHTS_RESTORED,
    LINE_ORGANIZATION_UNREADABLE,
    LINE_ORGANIZATION_READABLE,
    LINE_GUARD_CHANGED,
    LINE_ALERT_DELIVERED,
    LINE_ALERT_LOST, /* dropped at a ceiling, or refused for good */
    LINE_GUARD_STARTED,
    LINE_GUARD_STOPPING,
    LINE_CONFIG_RELOADED,
    LINE_RELOAD_REFUSED,
    _LINE_MAX,
} JournalLine;

typedef struct JournalEntry {
    JournalLine line;
    Gap gap;
    unsigned count; /* failed polls or restarts in a row */
    bool first_sight;
    bool maintenance;                /* not restored during a maintenance window */
    bool refused;                    /* AWS refuses it: not retried soon */
    bool foreign;                    /* another account's organization trail */
    uint32_t fields, about;          /* FIELD_BITs; LINE_ATTRIBUTED: the FINDING_BITs searched for */
    char detail[ERROR_TEXT_MAX];     /* raw: escape before showing */
    char request_id[REQUEST_ID_MAX]; /* AWS's, of the write; "": detail may end with it */
    Actor actor;                     /* LINE_ATTRIBUTED, LINE_ATTEMPTED */
    const Drift *changes;            /* borrowed; what the fields changed to; NULL: not shown */
} JournalEntry;

/* The most that one input can produce; the tests prove it. */
#define PLAN_EVENTS_MAX  8
#define PLAN_ENTRIES_MAX 16

/* What the guard decided about one input. */
typedef struct Plan {
    Action action;
    uint32_t fields; /* ACTION_RESTORE: FIELD_BITs to write back */
    bool abandon;    /* a restore of settings in progress is abandoned for the action */
    bool attribute;  /* search the event history now; see TrailState.attributing */
    unsigned n_events, n_entries;
    bool overflowed;         /* never set: the arrays were too small */
    bool summed_up;          /* see TrailFacts.summed_up: a summary counts this trouble */
    uint64_t wake_mono_usec; /* call again by then with GUARD_TIME; 0: not needed */
    bool hold; /* something found is not reported yet: the state file must keep the previous state */
    Event events[PLAN_EVENTS_MAX]; /* last; elements from n_events and n_entries on are not set */
    JournalEntry entries[PLAN_ENTRIES_MAX];
} Plan;
