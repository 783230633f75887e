# docker build -t iris_image . && docker run -p 8080:8080 iris_image
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN make lambda

# Nothing but the function: the same image serves HTTP on port 8080, and is the Lambda image.
FROM scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="iris-lambda" \
      org.opencontainers.image.description="Serves a scikit-learn model exported to ONNX: as an AWS Lambda function, or over HTTP" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/dist/iris-lambda /iris-lambda
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/iris-lambda"]
