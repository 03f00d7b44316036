"""The official Python SDK as its pages show it: server.py TOOLS"""

import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel


class Said(BaseModel):
    text: str


server = MCPServer("peer", log_level="ERROR")


def echo(text: str) -> Said:
    """Says it again."""
    return Said(text=text)


server.add_tool(echo, name="echo_text")
for number in range(1, int(sys.argv[1])):
    server.add_tool(echo, name=f"tool_{number}")


@server.tool()
async def tell_all(ctx: Context) -> str:
    """Tells all who listen."""
    await ctx.notify_tools_changed()
    return "told"


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(4096)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(server.streamable_http_app(json_response=True), log_level="error",
                              access_log=False)).run(sockets=[listener])
