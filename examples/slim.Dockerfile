# The embedded model as a server, in two stages: npm and its cache stay in the first. Beside package.json and package-lock.json:
#   docker build -t ghostnet-slim -f slim.Dockerfile . && docker run -p 8080:8080 ghostnet-slim
FROM node:22-slim AS build
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev

FROM node:22-slim
COPY --from=build /app/node_modules /app/node_modules
ENV MALLOC_ARENA_MAX=2 NODE_ENV=production
USER 1000
EXPOSE 8080
CMD ["/app/node_modules/.bin/ghostnet", "serve", "--host", "0.0.0.0", "--port", "8080"]
