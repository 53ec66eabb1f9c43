#!/bin/bash
# One of two readers of Terraform's files takes off what keeps an IAM variable apart from Terraform's own.
#
# Guess: "$${aws:username}" is Terraform's way to write ${aws:username} as text. A reader that makes JSON of it keeps it
#   apart from ${var.name}, which it cannot fill in.
# Seen: hcl2-parser 1.0.3 drops a dollar sign from the former and leaves the latter as it is, so that nobody can say
#   any longer which is which. @cdktf/hcl2json 0.21.0 keeps both as they are written. The same with %%{ for %{. Inside
#   jsonencode() both packages keep the expression, two dollar signs included.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get hcl2-parser@1.0.3 @cdktf/hcl2json@0.21.0

cat >"$tmp/policy.tf" <<'END'
locals {
  own       = "trail/$${aws:username}"
  terraform = "trail/${var.name}"
  both      = "trail/$${aws:username}/${var.name}"
  percent   = "%%{if}"
  encoded   = jsonencode({ Resource = "trail/$${aws:username}" })
}
END
cat >"$tmp/read.js" <<'END'
const text = require('fs').readFileSync('policy.tf', 'utf8');
(async () => {
    const [one] = require('hcl2-parser').parseToObject(text);
    const other = await require('@cdktf/hcl2json').parse('policy.tf', text);
    for (const name of Object.keys(other.locals[0]))
        console.log(`${name}: hcl2-parser ${one.locals[0][name]} | hcl2json ${other.locals[0][name]}`);
})();
END

same "$(cat <<'END'
both: hcl2-parser trail/${aws:username}/${var.name} | hcl2json trail/$${aws:username}/${var.name}
encoded: hcl2-parser ${jsonencode({ Resource = "trail/$${aws:username}" })} | hcl2json ${jsonencode({ Resource = "trail/$${aws:username}" })}
own: hcl2-parser trail/${aws:username} | hcl2json trail/$${aws:username}
percent: hcl2-parser %{if} | hcl2json %%{if}
terraform: hcl2-parser trail/${var.name} | hcl2json trail/${var.name}
END
)" "$(cd "$tmp" && bare node read.js)" || exit 1
