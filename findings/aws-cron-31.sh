#!/bin/bash
# A schedule on the 31st runs on the 1st of the next month, or on the 3rd, for a parser of AWS's cron expressions.
#
# Guess: cron(0 10 31 * ? *) is for the months that have a 31st, and for 29 February it waits for a leap year.
# Seen: aws-cron-parser 1.1.12 lets the day roll over: after 31 January comes 3 March, then 1 May, and 29 February is
#   1 March in other years, also where the expression names the month. cron-parser 5.10.5 (without AWS's sixth field)
#   does as guessed. L, for the last day of a month, is right in the former.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get aws-cron-parser@1.1.12 cron-parser@5.10.5

cat >"$tmp/next.js" <<'END'
const aws = require('aws-cron-parser');
const { CronExpressionParser } = require('cron-parser');
const first = new Date('2026-01-01T00:00:00Z');
const day = date => date.toISOString().slice(0, 10);
for (const days of ['31 *', '30 *', '29 2', 'L *']) {
    const schedule = aws.parse(`0 10 ${days} ? *`);
    const one = [];
    for (let at = first; one.length < 5; at = new Date(at.getTime() + 60000)) {
        at = aws.next(schedule, at);
        one.push(day(at));
    }
    const other = CronExpressionParser.parse(`0 10 ${days} *`, { currentDate: first, tz: 'UTC' });
    console.log(`${days}: aws-cron-parser ${one.join(' ')}`);
    console.log(`${days}: cron-parser     ${one.map(() => day(other.next().toDate())).join(' ')}`);
}
END

same "$(cat <<'END'
31 *: aws-cron-parser 2026-01-31 2026-03-03 2026-03-31 2026-05-01 2026-05-31
31 *: cron-parser     2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31
30 *: aws-cron-parser 2026-01-30 2026-03-02 2026-03-30 2026-04-30 2026-05-30
30 *: cron-parser     2026-01-30 2026-03-30 2026-04-30 2026-05-30 2026-06-30
29 2: aws-cron-parser 2026-03-01 2027-03-01 2028-02-29 2029-03-01 2030-03-01
29 2: cron-parser     2028-02-29 2032-02-29 2036-02-29 2040-02-29 2044-02-29
L *: aws-cron-parser 2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31
L *: cron-parser     2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31
END
)" "$(cd "$tmp" && bare node next.js)" || exit 1
