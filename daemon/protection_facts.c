/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/protection_facts.h"

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static bool is_guarded_account(const Engine *engine, const char *id) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (engine->accounts[i]->guarded && id[0] && text_equal(engine->accounts[i]->id, id))
            return true;
    return false;
}

static const char *find_exposed(const Engine *engine, const char *const *topics, size_t n) {
    Arn arn;

    for (size_t i = 0; i < n; i++)
        if (arn_parse(topics[i], &arn) >= 0 && is_guarded_account(engine, arn.account))
            return topics[i];
    return NULL;
}

/* As last read by guard_checks; NULL: never. */
static const char *recorded_boundary(const GuardRecord *records, size_t n, const char *principal) {
    for (size_t i = 0; i < n; i++) {
        const GuardParts *parts = &records[i].parts;

        if (!text_equal(records[i].arn, principal) || !(parts->kinds & GUARD_PART_BIT(GUARD_PART_BOUNDARY)))
            continue;
        for (size_t k = 0; k < parts->n; k++)
            if (parts->items[k].kind == GUARD_PART_BOUNDARY)
                return parts->items[k].name;
        return "";
    }
    return NULL;
}

ProtectionFacts engine_protection(const Engine *engine, ProtectionTexts *texts) {
    const Config *config = engine->config;
    ProtectionFacts facts = {
        .guard_checks = config->guard_checks,
        .heartbeat = config->heartbeat.url || config->heartbeat.url_file,
    };

    *texts = (ProtectionTexts){ 0 };
    if (engine->base && engine->base->identity[0])
        guard_identity_take(&texts->guard, engine->base->id, engine->base->identity);
    facts.principal = texts->guard.arn;
    facts.account = texts->guard.account;
    facts.account_guarded = is_guarded_account(engine, facts.account);
    facts.n_topics = config_topics(config, texts->topics);
    facts.topics = texts->topics;
    facts.exposed_topic = find_exposed(engine, texts->topics, facts.n_topics);
    facts.boundary = recorded_boundary(engine->recorded.guards, engine->recorded.n_guards, facts.principal);
    for (size_t i = 0; i < config->n_channels; i++)
        facts.outside_channel |= config->channels[i].type != CHANNEL_SNS;
    return facts;
}
