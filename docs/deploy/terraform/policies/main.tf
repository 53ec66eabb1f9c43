# The policies that `trailguard policy` prints, for the other modules. It has no resources.

terraform {
  required_version = ">= 1.3"
}

variable "partition" { type = string }
variable "account" { type = string }

variable "mode" { type = string }
variable "bucket_checks" { type = bool }
variable "contain" { type = string }
variable "guard_checks" { type = bool }

variable "scope" {
  type    = string
  default = "account"
}

variable "kind" {
  type    = string
  default = "role"
}

variable "topic_arn" {
  type    = string
  default = ""
}

variable "guard_name" {
  type    = string
  default = ""
}

variable "guard_arn" {
  type    = string
  default = ""
}

variable "member_role_name" {
  type    = string
  default = ""
}

variable "member_role_arns" {
  type    = list(string)
  default = []
}

variable "external_id" {
  type    = string
  default = ""
}

locals {
  conditions = {
    restarts        = var.mode != "observe"
    restores        = startswith(var.mode, "restore")
    recreates       = var.mode == "restore-deleted"
    checks_buckets  = var.bucket_checks
    contains        = var.contain == "enforce"
    checks_guard    = var.guard_checks
    accounts        = var.scope == "accounts"
    organization    = var.scope == "organization"
    is_role         = var.kind == "role"
    has_external_id = var.external_id != ""
  }

  # Written by `make deploy-templates`: each statement with the conditions that it needs.
  policies = jsondecode(templatefile("${path.module}/policies.json.tftpl", {
    partition        = var.partition
    account          = var.account
    topic_arn        = var.topic_arn
    guard_name       = var.guard_name
    guard_arn        = var.guard_arn
    member_role_name = var.member_role_name
    member_role_arns = var.member_role_arns
    external_id      = var.external_id
  }))
}

output "json" {
  description = "The documents by name: guard, deny, member, trust"
  value = {
    for name, rows in local.policies : name => jsonencode({
      Version = "2012-10-17"
      Statement = [
        for row in rows : row.statement
        if alltrue([for condition, met in row.when : local.conditions[condition] == met])
      ]
    })
  }
}
