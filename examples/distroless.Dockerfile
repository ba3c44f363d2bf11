# The embedded model as a server on distroless: no shell, no package manager. Both stages are Debian 12.
#   docker build -t ghostnet-distroless -f distroless.Dockerfile . && docker run -p 8080:8080 ghostnet-distroless
FROM node:22-slim AS build
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev

FROM gcr.io/distroless/nodejs22-debian12:nonroot
COPY --from=build /app/node_modules /app/node_modules
ENV MALLOC_ARENA_MAX=2 NODE_ENV=production
EXPOSE 8080
# The entry point of the base is node.
CMD ["/app/node_modules/ghostnet/dist/cli/main.js", "serve", "--host", "0.0.0.0", "--port", "8080"]
