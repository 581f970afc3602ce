"""How gunicorn runs the web processes: `gunicorn -c python:tracehouse.gunicorn tracehouse.wsgi:application`."""

from tracehouse import env

bind = [f"{env.text('TRACEHOUSE_HOST')}:{env.integer('TRACEHOUSE_PORT')}"]
workers = env.integer("TRACEHOUSE_WEB_WORKERS")
worker_class = "gthread"
threads = env.integer("TRACEHOUSE_WEB_THREADS")
# A body that trickles in or a slow query must not end the process with its other requests; only a
# process that no longer answers the arbiter at all is replaced.
timeout = 120
graceful_timeout = 30
keepalive = 75
control_socket_disable = True
