"""Reads /stream as any program would that has `requests`: so many events, a line each, its name and its data.

    python client.py URL EVENTS
"""
import sys

import requests

url, left = sys.argv[1], int(sys.argv[2])
with requests.get(url, stream=True, timeout=30) as response:
    response.raise_for_status()
    response.encoding = "utf-8"
    name, data = "message", []
    for line in response.iter_lines(decode_unicode=True):
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").strip())
        elif not line and data:
            print(name, "\n".join(data), flush=True)
            name, data, left = "message", [], left - 1
            if left == 0:
                break
