"""Every name of vLLM's that the plugin uses, by the process that uses it.

Each process looks for its names when it starts, before it serves anything (`search`). What a
constructor sets cannot be seen on its class, and is looked for on the first object.
"""

from __future__ import annotations

from inward_rewards.vllm_plugin.compat.search import Process, Touch

FRONT_END = Process(
    "front end",
    (
        Touch(
            "vllm.engine.arg_utils:EngineArgs",
            "makes a server's whole configuration",
            fields=("create_engine_config",),
        ),
        Touch(
            "vllm.config:SpeculativeConfig",
            "says which way of speculative decoding is on",
            fields=("method",),
        ),
        Touch(
            "vllm.config:KVTransferConfig",
            "says whether the engine is one side of a prefill/decode split",
            fields=("kv_connector", "kv_role", "kv_connector_extra_config"),
        ),
        Touch("vllm.exceptions:VLLMValidationError", "becomes a 400 that shows its text"),
        Touch(
            "vllm.v1.engine.input_processor:InputProcessor",
            "makes the engine's request of each prompt that comes in",
            fields=("process_inputs",),
            sets=("vllm_config",),
        ),
        Touch(
            "vllm.v1.engine:EngineCoreRequest",
            "carries a prompt from the front end to the engine core",
            fields=("prompt_token_ids", "sampling_params", "mm_features"),
        ),
        Touch(
            "vllm.multimodal.inputs:MultiModalFeatureSpec",
            "one picture's features within a prompt",
            fields=("mm_position",),
        ),
        Touch(
            "vllm.multimodal.inputs:PlaceholderRange",
            "which tokens of a prompt a picture stands for",
            fields=("offset", "length"),
        ),
        Touch(
            "vllm.sampling_params:SamplingParams",
            "what a client asks for, `vllm_xargs` among it",
            fields=("extra_args", "n", "skip_reading_prefix_cache", "output_kind"),
        ),
        Touch(
            "vllm.sampling_params:RequestOutputKind",
            "tells a streamed answer from a whole one",
            fields=("DELTA",),
        ),
    ),
)
ENGINE_CORE = Process(
    "engine core",
    (
        Touch(
            "vllm.v1.core.sched.scheduler:Scheduler",
            "admits, ends and answers requests",
            fields=("schedule",),
            overrides={
                "add_request": ("request",),
                "finish_requests": ("request_ids", "finished_status"),
                "has_finished_requests": (),
                "update_from_output": ("scheduler_output", "model_runner_output"),
            },
        ),
        Touch(
            "vllm.v1.request:Request",
            "a request as the scheduler holds it",
            sets=("request_id", "sampling_params", "prompt_token_ids"),
        ),
        Touch(
            "vllm.v1.engine:EngineCoreOutput",
            "a request's new tokens, and what else its response carries",
            fields=("request_id", "finish_reason", "kv_transfer_params"),
        ),
        Touch(
            "vllm.v1.engine:EngineCoreOutputs",
            "the outputs of one step for one front end",
            fields=("outputs",),
            calls={"": ()},
        ),
        Touch(
            "vllm.v1.engine:FinishReason",
            "tells a request that was aborted from one that ended well",
            fields=("ABORT", "ERROR"),
        ),
        Touch("vllm.v1.engine.core:EngineCore", "holds the trainer's own name of the weights"),
    ),
)
WORKER = Process(
    "worker",
    (
        Touch(
            "vllm.v1.worker.gpu_worker:Worker",
            "loads the model and runs its steps",
            sets=("vllm_config", "model_runner", "device", "distributed_init_method"),
            calls={"get_model": (), "load_model": ()},
            overrides={
                "add_lora": ("lora_request",),
                "execute_model": ("scheduler_output",),
                "sample_tokens": ("grammar_output",),
            },
        ),
        Touch(
            "vllm.v1.core.sched.output:SchedulerOutput",
            "which requests a step reads, and how many tokens of each",
            fields=(
                "scheduled_new_reqs",
                "scheduled_cached_reqs",
                "num_scheduled_tokens",
                "total_num_scheduled_tokens",
                "finished_req_ids",
            ),
        ),
        Touch(
            "vllm.v1.core.sched.output:NewRequestData",
            "a request that a worker sees for the first time",
            fields=(
                "req_id",
                "prompt_token_ids",
                "sampling_params",
                "num_computed_tokens",
                "lora_request",
            ),
        ),
        Touch(
            "vllm.v1.core.sched.output:CachedRequestData",
            "requests that a worker has seen before",
            fields=("req_ids", "num_computed_tokens"),
        ),
        Touch(
            "vllm.lora.request:LoRARequest",
            "names the adapter of a request",
            fields=("lora_name", "lora_int_id"),
        ),
        Touch(
            "vllm.v1.outputs:AsyncModelRunnerOutput",
            "a step's output that a thread completes",
            calls={"get_output": ()},
        ),
        Touch(
            "vllm.distributed.parallel_state:get_tp_group",
            "tells the one worker whose output reaches the scheduler",
            calls={"": ()},
        ),
        Touch(
            "vllm.distributed.parallel_state:GroupCoordinator",
            "tells tensor-parallel ranks where to meet",
            fields=("rank_in_group", "world_size"),
            calls={"broadcast_object": ("obj",)},
        ),
        Touch(
            "vllm.model_executor.model_loader.utils:get_model_cls",
            "the class of the model that is about to be loaded",
            calls={"": ("model_config",)},
        ),
        Touch(
            "vllm.model_executor.models.interfaces:supports_eagle3",
            "tells whether a model gives out auxiliary hidden states",
            calls={"": ("model",)},
        ),
        Touch(
            "vllm.model_executor.models.interfaces:SupportsEagle3",
            "switches a model's auxiliary hidden states on",
            calls={"set_aux_hidden_state_layers": ("layers",)},
        ),
        Touch(
            "vllm.model_executor.models.interfaces_base:VllmModelForTextGeneration",
            "makes logits of final hidden states",
            calls={"compute_logits": ("hidden_states",)},
        ),
        Touch(
            "vllm.model_executor.layers.logits_processor:LogitsProcessor",
            "puts the logits of tensor-parallel ranks together",
            sets=("org_vocab_size",),
            overrides={"_gather_logits": ("logits",)},
        ),
    ),
)
MODEL_RUNNER = Touch(
    "vllm.v1.worker.gpu_model_runner:GPUModelRunner",
    "keeps a step's auxiliary hidden states until the tokens are sampled",
    sets=("use_aux_hidden_state_outputs", "execute_model_state"),
)
RUNNER_V1 = Process(
    "worker (V1 model runner)",
    (
        Touch(
            "vllm.v1.worker.gpu_model_runner:ExecuteModelState",
            "a step's states between the forward pass and the sampling",
            fields=("aux_hidden_states", "hidden_states"),
        ),
        Touch(
            "vllm.v1.worker.gpu_input_batch:InputBatch",
            "the order of the requests within a step's rows",
            fields=("req_ids",),
        ),
    ),
)
RUNNER_V2 = Process(
    "worker (V2 model runner)",
    (
        Touch(
            "vllm.v1.worker.gpu.model_runner:ExecuteModelState",
            "a step's states between the forward pass and the sampling",
            fields=("aux_hidden_states", "hidden_states", "input_batch"),
        ),
        Touch(
            "vllm.v1.worker.gpu.input_batch:InputBatch",
            "the order of the requests within a step's rows",
            fields=("req_ids",),
        ),
    ),
)
PROCESSES = (FRONT_END, ENGINE_CORE, WORKER, RUNNER_V1, RUNNER_V2)

CONFIG = (
    "additional_config",
    "kv_transfer_config",
    "lora_config",
    "model_config.dtype",
    "model_config.get_hidden_size",
    "model_config.get_total_num_hidden_layers",
    "model_config.hf_config",
    "model_config.max_model_len",
    "model_config.runner_type",
    "parallel_config.pipeline_parallel_size",
    "parallel_config.prefill_context_parallel_size",
    "parallel_config.use_ubatching",
    "parallel_config.worker_cls",
    "scheduler_config.async_scheduling",
    "scheduler_config.max_num_batched_tokens",
    "scheduler_config.scheduler_cls",
    "speculative_config",
)
"""What is read of a `VllmConfig`, by every process."""
