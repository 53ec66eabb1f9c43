# TrailGuard's role in all accounts of an organization, and in those that join it later: a StackSet, because AWS itself
# then makes the role in new accounts. Use it in the management account, or in a delegated administrator of StackSets
# with call_as = "DELEGATED_ADMIN". A StackSet with these permissions leaves out the management account itself.

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
  description = "Who may assume the roles: the output guard_arn of the module guard."
  type        = string
}

variable "role_name" {
  description = "The option \"organization.role_name\" of trailguard.conf."
  type        = string
  default     = "TrailGuardMember"
}

variable "mode" {
  description = "The option \"mode\" of trailguard.conf."
  type        = string
  default     = "restart"
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

variable "organizational_unit_ids" {
  description = "The id of the organization's root (r-...), or of some units (ou-...)."
  type        = list(string)
}

variable "call_as" {
  type    = string
  default = "SELF"
}

resource "aws_cloudformation_stack_set" "members" {
  name             = var.role_name
  description      = "The role that TrailGuard assumes in each account"
  permission_model = "SERVICE_MANAGED"
  call_as          = var.call_as
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = file("${path.module}/../../cloudformation/member.yaml")

  parameters = {
    GuardArn       = var.guard_arn
    MemberRoleName = var.role_name
    Mode           = var.mode
    BucketChecks   = tostring(var.bucket_checks)
    Contain        = var.contain
    GuardChecks    = tostring(var.guard_checks)
  }

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  managed_execution {
    active = true
  }

  operation_preferences {
    max_concurrent_percentage    = 100
    failure_tolerance_percentage = 100
  }

  lifecycle {
    ignore_changes = [administration_role_arn] # AWS reports one that nobody set
  }
}

# IAM is global: one region, the provider's, is enough.
resource "aws_cloudformation_stack_set_instance" "members" {
  stack_set_name = aws_cloudformation_stack_set.members.name
  call_as        = var.call_as

  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }

  operation_preferences {
    max_concurrent_percentage    = 100
    failure_tolerance_percentage = 100
  }
}
