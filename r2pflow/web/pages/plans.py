from r2pflow.web.routing import Route

ROUTES: tuple[Route, ...] = ()
