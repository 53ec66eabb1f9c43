#!/bin/bash
# A parser of performance data knows the threshold "~:5", but neither "@1:5" nor the value U, and says nothing.
#
# Guess: Monitoring::Plugin, made for the plugins' guidelines, reads what they allow: a threshold that alerts inside
#   a range (@1:5), and U for a value that could not be measured.
# Seen: version 0.40 drops the inside range, and both thresholds with it where it is the first. A value of U vanishes
#   with its label; the others of the line stay.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get libmonitoring-plugin-perl=0.40-1 libmath-calc-units-perl=1.07-2.1 libclass-accessor-perl=0.51-2 \
    libparams-validate-perl=1.31-1 libmodule-implementation-perl=0.09-2 libmodule-runtime-perl=0.016-2 \
    libtry-tiny-perl=0.31-2

cat >"$tmp/read.pl" <<'END'
use strict;
use warnings;
use Monitoring::Plugin::Performance;
while (my $line = <STDIN>) {
    chomp $line;
    my @all = map {
        my $one = $_;
        join ' ', $one->label, $one->value, map { "$_=" . ($one->$_ || 'none') } qw(uom warning critical);
    } Monitoring::Plugin::Performance->parse_perfstring($line);
    print "$line: ", (join(', ', @all) || 'nothing'), "\n";
}
END

same "$(cat <<'END'
stopped=0;~:5;10:: stopped 0 uom=none warning=~:5 critical=10:
stopped=0;@1:5;10: stopped 0 uom=none warning=none critical=none
stopped=0;1;@5:9: stopped 0 uom=none warning=1 critical=none
age=U stopped=0: stopped 0 uom=none warning=none critical=none
age=U: nothing
END
)" "$(
    bare perl -I"$tmp/root/usr/share/perl5" -I"$tmp/root/usr/lib/x86_64-linux-gnu/perl5/5.36" "$tmp/read.pl" <<'END'
stopped=0;~:5;10:
stopped=0;@1:5;10
stopped=0;1;@5:9
age=U stopped=0
age=U
END
)" || exit 1
