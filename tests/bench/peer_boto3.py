# SPDX-License-Identifier: Apache-2.0
"""What a script with boto3 does instead: one client a region is kept, and the status of a trail in each is asked for at
every interval, evenly spread. usage: peer_boto3.py SECONDS REGION,..."""
import sys
import time

import boto3

interval, regions = float(sys.argv[1]), sys.argv[2].split(",")
session = boto3.Session()
clients = {region: session.client("cloudtrail", region_name=region) for region in regions}
due = time.monotonic()
while True:
    for region, client in clients.items():
        time.sleep(max(0, due - time.monotonic()))
        due = max(due + interval / len(regions), time.monotonic() - interval)
        status = client.get_trail_status(Name=f"arn:aws:cloudtrail:{region}:111122223333:trail/main")
        if not status["IsLogging"]:
            sys.exit(f"{region}: the trail does not log")
