"""A loopback server that speaks OpenAI's `/v1/embeddings`."""

from inward_chat.testing import HttpReply, PolicyServer


class EmbeddingServer(PolicyServer):
    """Keeps the `Authorization` header of each request."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.authorizations = []

    async def _post(self, post, request):
        self.authorizations.append(request.headers.get("Authorization"))
        return await super()._post(post, request)


def embedding_server(embed):
    """`embed`: request body -> one vector per input, or an HttpReply. Called from threads."""

    def post(body):
        vectors = embed(body)
        if isinstance(vectors, HttpReply):
            return vectors
        data = [
            {"object": "embedding", "index": index, "embedding": list(vector)}
            for index, vector in enumerate(vectors)
        ]
        return {"object": "list", "data": data, "model": "m"}

    def no_policy(body):
        return HttpReply(404, {"error": {"message": "this server embeds only"}})

    return EmbeddingServer(no_policy, posts={"/v1/embeddings": post})
