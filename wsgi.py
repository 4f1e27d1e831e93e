"""The stand-alone application for a WSGI server: `gunicorn wsgi:application`."""

from r2pflow.standalone import create_app

application = create_app()
