"""Every route of an application, as the server matches them."""


def every_route(routes):
    """With what they got from the routers that include them."""
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from every_route(route.effective_candidates())
            yield from route.effective_low_priority_routes()
        else:
            yield route
