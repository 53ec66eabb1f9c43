# The role that TrailGuard assumes in one account that it guards: the account of the provider.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "guard_arn" {
  description = "Who may assume the role: the output guard_arn of the module guard."
  type        = string
}

variable "role_name" {
  type    = string
  default = "TrailGuardMember"
}

variable "external_id" {
  description = "The option \"external_id\" of trailguard.conf. Leave it empty for an organization."
  type        = string
  default     = ""
}

variable "mode" {
  description = "The option \"mode\"; \"restore-deleted\" is \"restore\" with \"deleted\" in the option \"restore\"."
  type        = string
  default     = "restart"
  validation {
    condition     = contains(["observe", "restart", "restore", "restore-deleted"], var.mode)
    error_message = "The mode is \"observe\", \"restart\", \"restore\" or \"restore-deleted\"."
  }
}

variable "bucket_checks" {
  description = "The option \"bucket_checks\" of trailguard.conf."
  type        = bool
  default     = false
}

variable "contain" {
  description = "The option \"contain.mode\". To enforce, the guard may write policies of any user and role."
  type        = string
  default     = "off"
  validation {
    condition     = contains(["off", "propose", "enforce"], var.contain)
    error_message = "contain is \"off\", \"propose\" or \"enforce\"."
  }
}

variable "guard_checks" {
  description = "The option \"guard_checks\" of trailguard.conf."
  type        = bool
  default     = false
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

module "policies" {
  source           = "../policies"
  partition        = data.aws_partition.here.partition
  account          = data.aws_caller_identity.here.account_id
  mode             = var.mode
  bucket_checks    = var.bucket_checks
  contain          = var.contain
  guard_checks     = var.guard_checks
  guard_arn        = var.guard_arn
  member_role_name = var.role_name
  external_id      = var.external_id
}

resource "aws_iam_role" "member" {
  name               = var.role_name
  description        = "TrailGuard guards this account's trails through this role"
  assume_role_policy = module.policies.json["trust"]
}

resource "aws_iam_role_policy" "member" {
  name   = "TrailGuard"
  role   = aws_iam_role.member.id
  policy = module.policies.json["member"]
}

output "role_arn" {
  description = "The option \"role_arn\" of trailguard.conf"
  value       = aws_iam_role.member.arn
}
