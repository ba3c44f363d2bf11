# A server of your own, server.mjs, as a user without rights and without a home. Run it read-only:
#   docker build -t app -f non-root.Dockerfile . && docker run --read-only --user 1001 -p 8080:8080 app
FROM node:22-slim
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY server.mjs ./
ENV MALLOC_ARENA_MAX=2 NODE_ENV=production
USER 1001
EXPOSE 8080
CMD ["node", "server.mjs"]
