"""From method and path to a route, in time that does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.routes import Route

VERSION_PREFIX = "/v1.0"
METHODS = ("GET", "POST", "PUT", "DELETE")


class _Node:
    __slots__ = ("children", "parameter", "routes")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        # Parameter names differ between routes that share a node, so they are kept by route.
        self.routes: dict[str, tuple[Route, tuple[str, ...]]] = {}


class Router:
    """Finds routes by walking the segments of the path; a fixed segment wins over a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            for path in (route.path, *route.aliases):
                self._add(route, path)

    def _add(self, route: Route, path: str) -> None:
        node, names = self._root, []
        for segment in path[1:].split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(segment, _Node())
        if route.method in node.routes:
            raise ValueError(f"{route.method} {path} is declared twice")
        node.routes[route.method] = (route, tuple(names))

    def match(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """The route and the values of its path parameters; HEAD is answered by GET's route."""
        found = self._walk(path)
        if found is None:
            return None
        node, values = found
        entry = node.routes.get("GET" if method == "HEAD" else method)
        if entry is None:
            return None
        route, names = entry
        return route, dict(zip(names, values, strict=True))

    def methods(self, path: str) -> list[str]:
        """Methods the path is known with."""
        found = self._walk(path)
        return [method for method in METHODS if found and method in found[0].routes]

    def _walk(self, path: str) -> tuple[_Node, list[str]] | None:
        return _descend(self._root, strip_version(path)[1:].split("/"), [])


def _descend(node: _Node, segments: list[str], values: list[str]) -> tuple[_Node, list[str]] | None:
    if not segments:
        return (node, values) if node.routes else None
    segment, rest = segments[0], segments[1:]
    if segment in node.children:
        found = _descend(node.children[segment], rest, values)
        if found is not None:
            return found
    if node.parameter is not None and segment:
        return _descend(node.parameter, rest, [*values, segment])
    return None


def strip_version(path: str) -> str:
    """The path without the version prefix; both forms are served."""
    return path.removeprefix(VERSION_PREFIX) if path.startswith(f"{VERSION_PREFIX}/") else path
