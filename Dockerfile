# One image for every process; docker-compose.yml gives each its command. Built from the hashed lock.
FROM python:3.11-slim AS packages

WORKDIR /build
COPY requirements/runtime.txt requirements/dev.txt ./
# nkeys is published as source only, one Python file; the locked setuptools builds it. Everything
# else is a wheel, and nothing is installed whose hash is not in the lock.
RUN python -m venv /venv \
 && awk '/^setuptools==/ {take = 1} take {print} take && !/\\$/ {exit}' dev.txt > setuptools.txt \
 && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r setuptools.txt \
 && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes --no-build-isolation \
      --only-binary :all: --no-binary nkeys -r runtime.txt


FROM python:3.11-slim

# The folder of each process's keys exists in the image, so that its volume is writable for the user.
RUN useradd --uid 10001 --no-create-home --home-dir /app outbound \
 && for name in master campaign outdial queue dialer gateway migrate postgres nats; do \
      install -d -o outbound -g outbound "/keys/$name"; \
    done \
 && install -d -o outbound -g outbound /data

COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# The same two folders an editable install puts on the path; services/ itself never is.
RUN printf '/app\n/app/proto/gen\n' > /venv/lib/python3.11/site-packages/outbound.pth \
 && printf '#!/bin/sh\nexec /venv/bin/python -m cli.main "$@"\n' > /venv/bin/outbound \
 && chmod 755 /venv/bin/outbound \
 && /venv/bin/python -m compileall -q /app

ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER outbound
CMD ["outbound", "--help"]
