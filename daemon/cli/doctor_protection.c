/* SPDX-License-Identifier: Apache-2.0 */
/* What protects the guard, its users and roles, as far as AWS shows it. */
#include <string.h>

#include "daemon/cli/doctor.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* AWS IAM User Guide, "Security best practices": keys that live long are to be replaced. */
#define KEY_DAYS_MAX 90U
#define DAY_USEC     (86400 * USEC_PER_SEC)

static void add_trust(Doctor *doctor, const PrincipalFound *found) {
    const char *problem = found->trust && found->trust[0] ? protection_trust_problem(found->trust) : NULL;

    if (problem)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_WARNING,
                   "name the guard alone: trailguard policy guard prints the trust policy of member roles",
                   "%s: its trust policy is wide: %s", found->arn, problem);
    else if (found->trust && found->trust[0])
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_OK, NULL,
                   "%s: its trust policy names who may assume it", found->arn);
}

static void add_boundary(Doctor *doctor, const PrincipalFound *found) {
    if (found->boundary && found->boundary[0])
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_OK, NULL, "%s: permissions boundary %s", found->arn,
                   found->boundary);
    else if (found->boundary)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_NOTE, NULL,
                   "%s: no permissions boundary: a policy that is attached to it counts whole", found->arn);
}

static void add_key_age(Doctor *doctor, const PrincipalFound *found, const PrincipalKey *key,
                        uint64_t now_usec) {
    uint64_t days = key->created_usec && now_usec > key->created_usec
                            ? (now_usec - key->created_usec) / DAY_USEC
                            : 0;
    size_t n = strlen(key->id);

    if (key->active && days > KEY_DAYS_MAX)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_WARNING, "replace it, or use a role",
                   "%s: its access key %.4s...%s is %llu days old", found->arn, key->id,
                   key->id + (n > 4 ? n - 4 : 0), (unsigned long long)days);
}

static void add_keys(Doctor *doctor, const PrincipalFound *found, uint64_t now_usec) {
    size_t n_active = 0;

    if (!(found->parts.kinds & GUARD_PART_BIT(GUARD_PART_KEY)))
        return;
    for (size_t i = 0; i < found->n_keys; i++) {
        n_active += found->keys[i].active;
        add_key_age(doctor, found, &found->keys[i], now_usec);
    }
    if (n_active > 1)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_WARNING,
                   "deactivate the key that TrailGuard does not use", "%s: it has %zu active access keys",
                   found->arn, n_active);
    else
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_OK, NULL, "%s: %s", found->arn,
                   n_active == 1 ? "one active access key" : "no active access key");
}

/* A lack of protection may be intended, but only in an account of one's own. */
void doctor_protection_of_guard(Doctor *doctor, const ProtectionFacts *facts) {
    ProtectionRow rows[_PROTECTION_ABOUT_MAX];
    size_t n = protection_rows(facts, rows);

    for (size_t i = 0; i < n; i++) {
        /* these are read individually */
        bool is_read = facts->guard_checks &&
                       (rows[i].about == PROTECTION_BOUNDARY || rows[i].about == PROTECTION_SCP);

        if (!is_read && rows[i].about != PROTECTION_HEARTBEAT) /* it has its own group */
            doctor_add(doctor, DOCTOR_PROTECTION, rows[i].state == PROTECTION_OK ? DOCTOR_OK : DOCTOR_NOTE,
                       rows[i].advice, "%s", rows[i].text);
    }
}

void doctor_protection(Doctor *doctor, const PrincipalFound *found, uint64_t now_usec) {
    add_trust(doctor, found);
    add_boundary(doctor, found);
    add_keys(doctor, found, now_usec);
    if (found->unread[0])
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_UNKNOWN,
                   "trailguard policy guard prints the rights that guard_checks needs",
                   "%s: not all could be read: %s", found->arn, found->unread);
    doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_NOTE,
               "trailguard policy deny prints a policy that forbids it to others",
               "%s: AWS does not show who else may change it, nor its groups and service control policies",
               found->arn);
}
