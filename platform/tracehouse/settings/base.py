"""All settings; `test.py` holds only differences. Values that vary come from the table in `tracehouse.env`."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import django_stubs_ext
import structlog

from tracehouse import env, smtp

# Lets typed code say ModelForm[Project] and Manager[User] at run time too.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parents[3]
DATA_DIR = env.path("TRACEHOUSE_DATA")
DEBUG = env.boolean("TRACEHOUSE_DEBUG")
HTTPS = env.boolean("TRACEHOUSE_HTTPS")
# A key is needed only to serve; commands that touch no secret run without one.
SECRET_KEY = env.text("TRACEHOUSE_SECRET_KEY")
ALLOWED_HOSTS = env.items("TRACEHOUSE_ALLOWED_HOSTS")
PUBLIC_URL = (
    env.text("TRACEHOUSE_URL") or f"http://{env.text('TRACEHOUSE_HOST')}:{env.integer('TRACEHOUSE_PORT')}"
).rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tracehouse.clickhouse",
    "tracehouse.tenancy",
    "tracehouse.web",
    "traces",
    "costs",
    "ingest",
    "evals",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tracehouse.web.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "tracehouse.urls"
WSGI_APPLICATION = "tracehouse.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tracehouse.web.context.shell",
                "ingest.context.freshness",
            ],
        },
    }
]

_database = urlsplit(env.text("DATABASE_URL") or "postgresql://tracehouse@127.0.0.1:5432/tracehouse")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(_database.path.lstrip("/")),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname or "",
        "PORT": str(_database.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "tracehouse"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CLICKHOUSE_URL = env.text("CLICKHOUSE_URL") or "http://default@127.0.0.1:8123/tracehouse"
CLICKHOUSE_CLUSTER = env.text("CLICKHOUSE_CLUSTER")
REDIS_URL = env.text("REDIS_URL") or "redis://127.0.0.1:6379/0"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
# Sessions live in PostgreSQL: signing in must not depend on the cache's memory.
SESSION_ENGINE = "django.contrib.sessions.backends.db"

AUTH_USER_MODEL = "tenancy.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Serve straight from the apps' folders: `make up` has no collectstatic step to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
# Folders of others' libraries are named by their version.
WHITENOISE_IMMUTABLE_FILE_TEST = r"/vendor/[^/]+-[0-9.]+/"

# A batch of spans is larger than Django's 2.5 MB; ingest bounds bodies itself while reading them.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
MAX_BODY_BYTES = env.integer("TRACEHOUSE_MAX_BODY_MB") * 1024 * 1024
SPOOL_MAX_BYTES = env.integer("TRACEHOUSE_SPOOL_MAX_MB") * 1024 * 1024
MAX_SPAN_AGE_DAYS = env.integer("TRACEHOUSE_MAX_SPAN_AGE_DAYS")
# Limits of projects that set none; 0 is no limit. The names are those of the fields of a project.
DEFAULT_LIMITS = {
    "max_spans_per_second": env.integer("TRACEHOUSE_MAX_SPANS_PER_SECOND"),
    "max_mb_per_minute": env.integer("TRACEHOUSE_MAX_MB_PER_MINUTE"),
    "max_spans_per_day": env.integer("TRACEHOUSE_MAX_SPANS_PER_DAY"),
    "max_spans_per_month": env.integer("TRACEHOUSE_MAX_SPANS_PER_MONTH"),
}
METRICS_TOKEN = env.text("TRACEHOUSE_METRICS_TOKEN")
# None: no mail is sent. See tracehouse.mail.
SMTP = smtp.parse(env.text("TRACEHOUSE_SMTP_URL"))
MAIL_FROM = env.text("TRACEHOUSE_MAIL_FROM")

# Called once in each web process: its spool also drains what an earlier process left behind, asked for or not.
WEB_PROCESS_RUNS = ["ingest.pipeline.spool"]
# Gives a project's rule for ids of users and organizations: see tracehouse.tenancy.identity.
IDENTITY_AS_STORED = "ingest.policies.identity_rule"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# Prometheus asks inside the network, past the proxy that ends TLS.
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tracehouse.tenancy.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tracehouse.tenancy.authentication.HasProject"],
    "DEFAULT_RENDERER_CLASSES": ["tracehouse.web.api.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tracehouse.web.api.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tracehouse.web.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tracehouse API",
    "DESCRIPTION": "Traces, usage, scores and ingest of a Tracehouse project. Times are RFC 3339 in UTC, ids lower-case"
    " hex, money decimal strings in US dollars.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "TraceStatus": ["ok", "error"],
        "SpanStatus": ["unset", "ok", "error"],
        "BudgetState": ["ok", "warning", "over"],
        "BudgetSubject": ["project", "each_user", "each_organization", "user", "organization"],
        "RepricingState": ["queued", "running", "done", "failed"],
        "RepricingSubject": ["model", "tool"],
    },
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# Work is by watermark: a tick that comes twice, or not at all, changes nothing; one that finds no worker expires.
CELERY_BEAT_SCHEDULE = {
    "costs.resume_repricings": {"task": "costs.tasks.resume_repricings", "schedule": 60.0},
    "costs.roll_up": {"task": "costs.tasks.roll_up", "schedule": 3600.0, "options": {"expires": 3600}},
    "costs.weekly_reports": {
        "task": "costs.tasks.weekly_reports",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "costs.delete_superseded_costs": {
        "task": "costs.tasks.delete_superseded_costs",
        "schedule": 86_400.0,
        "options": {"expires": 3600},
    },
    "worker-heartbeat": {
        "task": "ingest.tasks.worker_heartbeat",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "adapt-merging": {
        "task": "ingest.tasks.adapt_merging",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "delete-old-ingest-counts": {
        "task": "ingest.tasks.delete_old_counts",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}

UNFOLD = {"SITE_TITLE": "Tracehouse", "SITE_HEADER": "Tracehouse", "SITE_SYMBOL": "account_tree"}

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": [
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
            ],
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Never with locals: they hold what spans carry.
                structlog.processors.ExceptionRenderer(
                    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
                ),
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.text("TRACEHOUSE_LOG_LEVEL")},
    "loggers": {"django.server": {"level": "WARNING"}},
}
