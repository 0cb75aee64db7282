"""A small server of the model context protocol: the rooms of a hotel. Needs `pip install mcp`."""

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("rooms")
free = {"Lyon": 3, "Oslo": 5}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def free_rooms(city: str) -> int:
    """How many free rooms there are in a city."""
    return free.get(city, 0)


@server.tool()
def take_room(city: str) -> int:
    """Take a room in a city; how many are left."""
    free[city] = max(0, free.get(city, 0) - 1)
    return free[city]


server.run()
