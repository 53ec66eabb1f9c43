# TrailGuard's own account: the guard's role or user, its policies, and the topic for its alerts.
# docs/deploy.md has an example.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "kind" {
  description = "\"role\" for an EC2 instance, \"user\" for any other host. Its access key is not made here."
  type        = string
  default     = "role"
  validation {
    condition     = contains(["role", "user"], var.kind)
    error_message = "The kind is \"role\" or \"user\"."
  }
}

variable "name" {
  description = "The name of the role or user. It must differ from the member role's."
  type        = string
  default     = "TrailGuard"
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

variable "scope" {
  description = "\"account\": this one; \"accounts\": also those of member_role_arns; \"organization\": all."
  type        = string
  default     = "account"
  validation {
    condition     = contains(["account", "accounts", "organization"], var.scope)
    error_message = "The scope is \"account\", \"accounts\" or \"organization\"."
  }
}

variable "member_role_name" {
  description = "For the scope \"organization\": the option \"organization.role_name\" of trailguard.conf."
  type        = string
  default     = "TrailGuardMember"
}

variable "member_role_arns" {
  description = "For the scope \"accounts\": the roles, as \"accounts\" of trailguard.conf has them."
  type        = list(string)
  default     = []
}

variable "alert_email" {
  description = "Who gets the alerts. AWS sends a mail with a link to confirm. Not for a FIFO topic."
  type        = string
  default     = ""
}

variable "topic_name" {
  type    = string
  default = "trailguard"
}

variable "fifo" {
  description = "A FIFO topic keeps the order, delivers to queues only, and gets a queue here."
  type        = bool
  default     = false
}

variable "encrypt_topic" {
  description = "Encrypt the topic with a KMS key of its own (about 1 USD a month)."
  type        = bool
  default     = false
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  partition = data.aws_partition.here.partition
  account   = data.aws_caller_identity.here.account_id
  is_role   = var.kind == "role"
  guard_arn = local.is_role ? aws_iam_role.guard[0].arn : aws_iam_user.guard[0].arn
  suffix    = var.fifo ? ".fifo" : ""
}

module "policies" {
  source           = "../policies"
  partition        = local.partition
  account          = local.account
  kind             = var.kind
  mode             = var.mode
  bucket_checks    = var.bucket_checks
  contain          = var.contain
  guard_checks     = var.guard_checks
  scope            = var.scope
  topic_arn        = aws_sns_topic.alerts.arn
  guard_name       = var.name
  member_role_name = var.member_role_name
  member_role_arns = var.member_role_arns
}

# ---- the guard ----

resource "aws_iam_role" "guard" {
  count       = local.is_role ? 1 : 0
  name        = var.name
  description = "The base credentials of TrailGuard"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.${data.aws_partition.here.dns_suffix}" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_instance_profile" "guard" {
  count = local.is_role ? 1 : 0
  name  = var.name
  role  = aws_iam_role.guard[0].name
}

resource "aws_iam_user" "guard" {
  count = local.is_role ? 0 : 1
  name  = var.name
}

resource "aws_iam_policy" "guard" {
  name        = "${var.name}Guard"
  description = "The least rights that TrailGuard needs"
  policy      = module.policies.json["guard"]
}

# Attach it to everybody with power over CloudTrail, too.
resource "aws_iam_policy" "deny" {
  name        = "${var.name}Deny"
  description = "Denies tampering with trails, with TrailGuard and with its alert topic"
  policy      = module.policies.json["deny"]
}

resource "aws_iam_role_policy_attachment" "guard" {
  for_each   = local.is_role ? { guard = aws_iam_policy.guard.arn, deny = aws_iam_policy.deny.arn } : {}
  role       = aws_iam_role.guard[0].name
  policy_arn = each.value
}

resource "aws_iam_user_policy_attachment" "guard" {
  for_each   = local.is_role ? {} : { guard = aws_iam_policy.guard.arn, deny = aws_iam_policy.deny.arn }
  user       = aws_iam_user.guard[0].name
  policy_arn = each.value
}

# ---- the alerts ----

resource "aws_kms_key" "alerts" {
  count               = var.encrypt_topic ? 1 : 0
  description         = "Encrypts the alerts of TrailGuard"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AllowAccountToManage"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "AllowGuardToPublish"
        Effect    = "Allow"
        Principal = { AWS = local.guard_arn }
        Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.topic_name}${local.suffix}"
  fifo_topic        = var.fifo
  kms_master_key_id = var.encrypt_topic ? aws_kms_key.alerts[0].key_id : null

  lifecycle {
    precondition {
      condition     = !var.fifo || var.alert_email == ""
      error_message = "A FIFO topic cannot send mail. Leave alert_email empty, or use a standard topic."
    }
  }
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AllowGuardToPublish"
        Effect    = "Allow"
        Principal = { AWS = local.guard_arn }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
      },
      {
        Sid       = "DenyPublishWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  count     = var.alert_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

resource "aws_sqs_queue" "alerts" {
  count                     = var.fifo ? 1 : 0
  name                      = "${var.topic_name}.fifo"
  fifo_queue                = true
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "alerts" {
  count     = var.fifo ? 1 : 0
  queue_url = aws_sqs_queue.alerts[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowTopicToSend"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.alerts[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.alerts.arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "queue" {
  count      = var.fifo ? 1 : 0
  topic_arn  = aws_sns_topic.alerts.arn
  protocol   = "sqs"
  endpoint   = aws_sqs_queue.alerts[0].arn
  depends_on = [aws_sqs_queue_policy.alerts]
}

# ---- for trailguard.conf and the other modules ----

output "guard_arn" {
  description = "For the member roles"
  value       = local.guard_arn
}

output "instance_profile" {
  description = "For the EC2 instance"
  value       = one(aws_iam_instance_profile.guard[*].name)
}

output "topic_arn" {
  description = "The option \"topic_arn\" of trailguard.conf"
  value       = aws_sns_topic.alerts.arn
}

output "deny_policy_arn" {
  description = "Attach it to everybody with power over CloudTrail"
  value       = aws_iam_policy.deny.arn
}

output "queue_url" {
  description = "Where the alerts of a FIFO topic arrive"
  value       = one(aws_sqs_queue.alerts[*].id)
}
