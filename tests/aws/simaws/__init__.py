# SPDX-License-Identifier: Apache-2.0
"""A stand-in for AWS on the loopback interface: CloudTrail, SNS, STS and EC2 instance metadata.

It exists for tests and demonstrations. It keeps state, checks every signature and every shape with
botocore's own code and models, and misbehaves on request. See ../README.md.
"""
