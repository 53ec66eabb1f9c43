/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/drills.h"

#include <errno.h>

#include "daemon/core/baseline.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

/* The file is read only where something is wrong with a trail's logging or its tags, and when it is known
 * who did it. */
static bool may_be_drill(const Trail *trail, const TrailInput *input) {
    const Observation *seen = input->kind == GUARD_POLLED ? input->seen : NULL;

    if (trail->engine->once || !trail->arn[0])
        return false;
    if (TRAIL_STATE(trail, drilled.noticed_usec) != 0 && input->kind == GUARD_ATTRIBUTED)
        return true;
    return (TRAIL_STATE(trail, findings) & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_CHANGED))) ||
           (input->drift && (guard_drift_fields(input->drift, false) & FIELD_BIT(FIELD_TAGS))) ||
           (seen && seen->kind == OBSERVED_STATUS &&
            (!seen->is_logging || seen->stop_usec != TRAIL_STATE(trail, stop_usec)));
}

void engine_find_drill(Trail *trail, const TrailInput *input) {
    Engine *engine = trail->engine;
    char reason[ERROR_TEXT_MAX] = "";
    int r;

    trail->facts.drill = NULL;
    trail->facts.drill_tagged = false;
    if (!may_be_drill(trail, input))
        return;
    r = drill_file_read(engine->state_dir, &engine->drill, reason, sizeof(reason));
    if (r < 0 && r != -ENOENT && !engine->drill_refused)
        log_line(LOG_WARNING, "%s/" DRILL_FILE ": ignored: %s", engine->state_dir,
                 reason[0] ? reason : file_strerror(r));
    engine->drill_refused = r < 0 && r != -ENOENT;
    if (r >= 0 && text_equal(engine->drill.trail, trail->arn))
        trail->facts.drill = &engine->drill.drill;
    if (trail->facts.drill && trail->facts.drill->tag[0] && input->drift)
        trail->facts.drill_tagged =
                baseline_adds_tag(input->drift, trail->facts.drill->tag, trail->facts.drill->nonce);
}
