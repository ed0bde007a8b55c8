# One image for every process of the production shape; docker-compose.yml names the commands.
FROM python:3.12-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock README.md ./
COPY bridge bridge
COPY adapters adapters
COPY workers workers
COPY config config
# The embedded extra brings the dev chain; without it the image is for real chains alone.
ARG EXTRAS="--extra embedded"
RUN uv sync --frozen --no-dev --no-editable $EXTRAS

FROM python:3.12-slim
RUN useradd --system --create-home --home-dir /var/lib/fhir-anchor --uid 10001 anchor
COPY --from=build /src/.venv /src/.venv
ENV PATH=/src/.venv/bin:$PATH FHIR_ANCHOR__DATA=/var/lib/fhir-anchor
USER anchor
WORKDIR /var/lib/fhir-anchor
VOLUME /var/lib/fhir-anchor
ENTRYPOINT ["fhir-anchor"]
CMD ["api"]
