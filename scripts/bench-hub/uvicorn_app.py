"""A hub as it is written with Starlette: the last event of every key for a page that opens, then what comes."""

import asyncio
import json

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

last = {}
queues = set()


async def publish(request):
    for line in (await request.body()).decode().split("\n"):
        event = json.loads(line)
        last[event["episode_id"], event["window_idx"], event["model"]] = line
        for queue in queues:
            queue.put_nowait(line)
    return JSONResponse({})


async def page(websocket):
    await websocket.accept()
    queue = asyncio.Queue()
    state = list(last.values())
    queues.add(queue)
    try:
        for event in state:
            await websocket.send_text(event)
        await websocket.send_text('{"type":"ready"}')
        while True:
            await websocket.send_text(await queue.get())
    except WebSocketDisconnect:
        pass
    finally:
        queues.discard(queue)


app = Starlette(routes=[Route("/publish", publish, methods=["POST"]), WebSocketRoute("/ws", page)])
