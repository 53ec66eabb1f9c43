#!/bin/bash
# 10-base.conf and 90-site.conf disagree: in tmpfiles.d and sysusers.d the first has the last word, elsewhere in
# systemd the last.
#
# Guess: the file that sorts last wins, as in the drop-ins of a unit and as people number such files everywhere; two
#   lines for one path are an error.
# Seen: systemd 252 takes the mode and the user id of 10-base.conf and ignores 90-site.conf with a line on stderr and
#   status 0. In a unit's drop-ins 90-site.conf wins. To overrule a package's tmpfiles line a site has to sort before
#   it, to overrule its unit after it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.

etc=$tmp/root/etc
mkdir -p "$etc/tmpfiles.d" "$etc/sysusers.d" "$etc/systemd/system/guard.service.d"
printf '[Service]\nExecStart=/bin/true\n' >"$etc/systemd/system/guard.service"
n=0
for file in 10-base.conf 90-site.conf; do
    ((n += 1))
    echo "d /var/lib/guard 07${n}0 - - -" >"$etc/tmpfiles.d/$file"
    echo "u guard 60$n" >"$etc/sysusers.d/$file"
    printf '[Service]\nProtectSystem=%s\n' "$([[ $n == 1 ]] && echo no || echo strict)" >"$etc/systemd/system/guard.service.d/$file"
done

# said COMMAND...: its complaint without the folder
said() {
    local status=0
    "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
    grep '90-site' "$tmp/err" | sed "s|$tmp/root||g"
    echo "status $status"
}

same "$(cat <<'END'
/etc/sysusers.d/90-site.conf:1: Conflict with earlier configuration for user 'guard', ignoring line.
status 0
user id 601
/etc/tmpfiles.d/90-site.conf:1: Duplicate line for path "/var/lib/guard", ignoring.
status 0
mode 710
unit: ProtectSystem=strict
END
)" "$(
    said bare systemd-sysusers --root="$tmp/root"
    echo "user id $(awk -F: '$1 == "guard" {print $3}' "$etc/passwd")"
    said bare systemd-tmpfiles --root="$tmp/root" --create --prefix=/var/lib
    echo "mode $(stat -c %a "$tmp/root/var/lib/guard")"
    bare systemd-analyze security --offline=yes --no-pager "$etc/systemd/system/guard.service" >"$tmp/out"
    grep -q 'ProtectSystem= .*strict' "$tmp/out" && echo 'unit: ProtectSystem=strict'
)" || exit 1
