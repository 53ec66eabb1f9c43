/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/drills.h"

#include <errno.h>

#include "daemon/core/baseline.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

void engine_find_drill(Trail *trail, const TrailState *state, const TrailInput *input) {
    Engine *engine = trail->engine;
    char reason[ERROR_TEXT_MAX] = "";
    int r;

    trail->facts.drill = NULL;
    trail->facts.drill_tagged = false;
    if (engine->once || !trail->arn[0] || !guard_may_be_drill(state, input))
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
