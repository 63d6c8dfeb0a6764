# SPDX-License-Identifier: BSD-2-Clause
"""Calls of every public function with one argument wrong: arguments.py API.json OUT.

From the headers, by include/api.py, come, for each function, one call whose arguments are all sensible, and one with each of these in each
place where it can stand: NULL, -1 and the largest number, a number that is none of an enum's, not a number, options of
another kind. arguments.c has what the calls work on, and judges what they answer. A function whose arguments are not
known here fails the build."""
import json
import re
import sys

api, out = json.load(open(sys.argv[1])), sys.argv[2]

# Places where NULL means something, as the header says: ARGUMENT for all functions, or FUNCTION.ARGUMENT.
NULLABLE = set("""user drop log log_user label labels seeds control needed dprediction bucket
maskdm_control_set_comm.comm maskdm_control_set_log.callback maskdm_control_set_progress.callback maskdm_sampler_set_step.callback maskdm_sampler_set_start.image maskdm_sampler_set_hole.image maskdm_sampler_set_hole.options
maskdm_data_open_folder.options maskdm_image_read.options maskdm_image_read_memory.options maskdm_data_create_encoded.options maskdm_data_create_encoded_callback.options maskdm_data_create_encoded_callback.control maskdm_comm_open.options maskdm_device_open.options maskdm_device_open_hosted.options maskdm_mask_create.options
maskdm_model_set_metadata.value maskdm_model_transfer.callback maskdm_model_create.options maskdm_model_create.scheduler maskdm_model_estimate.options maskdm_model_predict.index
maskdm_optimizer_bind.matrices maskdm_optimizer_bind.weights maskdm_optimizer_create.options maskdm_optimizer_create.ema maskdm_sampler_create.options maskdm_sampler_create_custom.options
maskdm_sampler_run_from.noise maskdm_scheduler_create.options maskdm_solver_create.options maskdm_solver_input.noise
maskdm_solver_input.input maskdm_solver_input.time maskdm_solver_step.noise maskdm_solver_step.x0
maskdm_options_load_preset.folder maskdm_options_presets.folder maskdm_options_preset_text.folder maskdm_options_preset_text.what
maskdm_loss.weight maskdm_loss.losses maskdm_loss.gradient maskdm_scheduler_consistency_times.options
maskdm_scheduler_consistency_loss.options maskdm_scheduler_consistency_loss.losses maskdm_scheduler_consistency_loss.gradient maskdm_trainer_create.mask maskdm_trainer_create.options maskdm_trainer_loss.loss
maskdm_features_kernel_distance.options maskdm_features_neighbours.options maskdm_features_infinity.options
maskdm_features_discrepancy.options maskdm_features_discrepancy.index maskdm_features_discrepancy.reference_index
maskdm_trainer_set_comm.comm maskdm_trainer_set_batch.index maskdm_trainer_set_retained.data maskdm_trainer_view.count maskdm_pretrain.out maskdm_pretrain.data maskdm_pretrain.mask maskdm_train.out maskdm_train.data maskdm_train.mask maskdm_finetune.out
maskdm_finetune.data maskdm_finetune.mask
maskdm_tune.out maskdm_tune.data maskdm_tune.mask maskdm_trainer_tune.options""".split())

# Calls that have nothing to say, since signal handlers make them or because NULL is nothing to do.
SILENT = re.compile(r"^maskdm_(\w+_release|control_(stop|cancel|save|reset))$")
# Whole jobs, whose sensible call is tested elsewhere: here they only must not crash, and refuse NULL.
# A file of 90 megabytes is made elsewhere (tests/reference/), and is none here.
JOBS = {"maskdm_extractor_load", "maskdm_train", "maskdm_pretrain", "maskdm_finetune", "maskdm_sample", "maskdm_convert", "maskdm_export",
        "maskdm_merge", "maskdm_average", "maskdm_evaluate", "maskdm_pack", "maskdm_tune", "maskdm_plot", "maskdm_report", "maskdm_survey",
        "maskdm_options_load_run"}
# How much memory stands behind a pointer only the caller knows.
EXTENTS = {"maskdm_file_open_memory.size", "maskdm_model_load_memory.size", "maskdm_options_parse_json.size", "maskdm_options_parse_yaml.size",
           "maskdm_model_load_one_memory.size", "maskdm_image_read_memory.size", "maskdm_data_create_encoded.count",
           "maskdm_extractor_run.count", "maskdm_extractor_run.height", "maskdm_extractor_run.width",
           "maskdm_optimizer_bind.count", "maskdm_comm_sum.count", "maskdm_average_coefficients.count"}
# A sensible call that answers 0, NaN or NULL, or a status below 0, all the same.
NOTHING = {"maskdm_comm_rank", "maskdm_comm_lost", "maskdm_model_has_adapter", "maskdm_model_metadata", "maskdm_model_metadata_key", "maskdm_model_metadata_count", "maskdm_set_allocator", "maskdm_last_status", "maskdm_data_skipped", "maskdm_data_path", "maskdm_data_label_name", "maskdm_model_label_name", "maskdm_model_has_online",
           "maskdm_device_memory_limit", "maskdm_mask_nominal_rate", "maskdm_optimizer_grad_norm",
           "maskdm_trainer_skipped", "maskdm_trainer_last_loss", "maskdm_trainer_measure", "maskdm_solver_draws", "maskdm_solver_takes_noise",
           "maskdm_solver_guide", "maskdm_solver_input", "maskdm_solver_set_variance", "maskdm_solver_step",
           "maskdm_options_parse_yaml", "maskdm_trainer_snapshot", "maskdm_trainer_tune", "maskdm_optimizer_bind", "maskdm_optimizer_decay"}

VALUES = {  # FUNCTION.ARGUMENT, then TYPE ARGUMENT, then TYPE
    "maskdm_data_batch.batch": "2", "maskdm_data_batch.images": "rig.floats",
    "maskdm_data_create_callback.fetch": "fetch", "maskdm_data_create_memory.images": "rig.bytes",
    "maskdm_data_create_encoded_callback.fetch": "fetch_file", "maskdm_data_create_encoded_callback.count": "2",
    "maskdm_data_create_encoded_callback.options": "rig.folder_options",
    "maskdm_data_create_memory.count": "4", "maskdm_data_create_callback.count": "4",
    "maskdm_data_create_memory.labels": "rig.labels",
    "maskdm_data_open_folder.path": "rig.folder", "maskdm_data_open_folder.options": "rig.folder_options",
    "maskdm_comm_open.name": '"self"', "maskdm_comm_open.options": "rig.comm_options", "maskdm_comm_sum.values": "rig.floats",
    "maskdm_device_open.name": '"cpu"', "maskdm_device_open.options": "rig.device_options",
    "maskdm_device_open_hosted.options": "rig.device_options", "maskdm_device_open_hosted.workers": "1",
    "maskdm_extractor_load.path": "rig.extractor_file", "maskdm_extractor_run.count": "1",
    "maskdm_extractor_run.images": "rig.more", "maskdm_extractor_run.rows": "rig.floats",
    "maskdm_features_create_from.count": "2", "maskdm_model_held_out.loss": '"l2"', "maskdm_model_held_out.delta": "0", "double *x0_error": "&rig.number",
    "double *own_loss": "&rig.number", "maskdm_model_held_out.bucket": "rig.doubles",
    "maskdm_model_held_out.buckets": "2", "int64_t k": "2", "maskdm_features_callback": "fill_rows", "maskdm_features_radii.count": "24", "maskdm_report.path": "rig.folder", "maskdm_plot.runs": "rig.names", "maskdm_plot.count": "2", "maskdm_report.json": "0",
    "maskdm_options_load_run.folder": "rig.folder",
    "double *radius": "rig.doubles", "double *mean": "&rig.number", "double *deviation": "&rig.number",
    "maskdm_statistics_create_from.mean": "rig.times", "maskdm_statistics_create_from.covariance": "rig.identity",
    "maskdm_statistics_load.path": "rig.statistics_file", "maskdm_features_load.path": "rig.features_file", "maskdm_features_save.path": "rig.written", "maskdm_statistics_save.path": "rig.written",
    "maskdm_statistics_covariance.count": "16", "double *precision": "&rig.number", "double *recall": "&rig.number",
    "double *density": "&rig.number", "double *coverage": "&rig.number", "maskdm_features *reference": "rig.features",
    "const maskdm_features *reference": "rig.features", "maskdm_statistics *reference": "rig.statistics",
    "const int32_t *index": "rig.index", "const int32_t *reference_index": "rig.index",
    "maskdm_features_kernel_distance.options": "rig.metric_options",
    "maskdm_features_neighbours.options": "rig.metric_options", "maskdm_features_infinity.options": "rig.metric_options",
    "maskdm_features_discrepancy.options": "rig.metric_options", "maskdm_features_create.width": "4",
    "maskdm_features_create_callback.width": "4", "maskdm_statistics_create.width": "4",
    "maskdm_statistics_create_from.width": "4", "maskdm_features_add.rows": "rig.more",
    "maskdm_statistics_add.rows": "rig.more", "maskdm_features_get.rows": "rig.floats",
    "maskdm_file_find.name": '"first"', "maskdm_file_open.path": "rig.tensors",
    "maskdm_file_metadata.key": '"key"', "maskdm_file_open_memory.bytes": "rig.file_bytes",
    "maskdm_file_open_memory.size": "rig.file_size", "maskdm_file_read_f32.out": "rig.floats",
    "maskdm_file_read_raw.size": "4 * sizeof(float)", "maskdm_file_read_i64.i": "1", "maskdm_file_read_i64.count": "1",
    "maskdm_file_writer_add.dtype": '"F32"', "maskdm_file_writer_add.rank": "2",
    "maskdm_file_writer_add.elements": "rig.floats", "maskdm_file_writer_add.name": '"added"',
    "maskdm_file_writer_add.shape": "rig.two_by_two",
    "maskdm_file_writer_metadata.value": '"value"', "maskdm_file_writer_save.path": "rig.written",
    "maskdm_image_copy.out": "rig.bytes", "maskdm_image_create.samples": "rig.bytes", "maskdm_image_grid.count": "2",
    "maskdm_image_read.path": "rig.picture", "maskdm_image_read_memory.bytes": "rig.picture_bytes",
    "maskdm_image_read_memory.size": "rig.picture_size", "maskdm_image_read_memory.options": "rig.image_options",
    "maskdm_data_create_encoded.files": "rig.pictures", "maskdm_data_create_encoded.sizes": "rig.picture_sizes",
    "maskdm_data_create_encoded.options": "rig.folder_options", "maskdm_data_create_encoded.count": "2",
    "maskdm_image_read.options": "rig.image_options", "maskdm_model_load_one.path": "rig.model_file",
    "maskdm_model_load_one_memory.bytes": "rig.model_bytes", "maskdm_model_load_one_memory.size": "rig.model_size",
    "maskdm_model_set_labels.names": "rig.names", "maskdm_model_set_labels.count": "2",
    "maskdm_model_transfer.names": "rig.names", "maskdm_model_transfer.count": "2",
    "maskdm_transfer_callback": "see_transfer", "maskdm_model_adapt.options": "rig.lora_options",
    "maskdm_model_load_adapter.path": "rig.adapter_file", "int any_base": "0", "maskdm_model_merge.model": "rig.adapted",
    "maskdm_model_save_adapter.model": "rig.adapted", "maskdm_model_save_adapter.path": "rig.written",
    "maskdm_options_add_stage.options": "rig.staged", "maskdm_options_stage_count.options": "rig.staged", "maskdm_options_add_stage.text": '"steps=1"',
    "maskdm_options_load_preset.options": "rig.staged", "maskdm_options_load_preset.name": '"vggface256"', "maskdm_options_load_preset.folder": "NULL",
    "maskdm_options_presets.folder": "NULL", "maskdm_options_preset_text.folder": "NULL",
    "maskdm_options_preset_text.what": '"about"',
    "maskdm_options_preset_text.name": '"quick32"',
    "maskdm_options_set_spelling.spelling": "MASKDM_SPELL_FLAGS", "maskdm_image_write_png.path": "rig.written", "maskdm_image_grid.columns": "0",
    "maskdm_image_write_png.bits": "8", "maskdm_image_write_apng.bits": "8", "maskdm_image_write_apng.count": "2",
    "maskdm_image_write_apng.path": "rig.written", "int64_t milliseconds": "50",
    "maskdm_loss.loss": '"huber"', "maskdm_loss.delta": "1", "maskdm_loss.weight": "rig.times", "maskdm_loss.losses": "rig.doubles",
    "maskdm_mask_create.options": "rig.mask_options", "maskdm_mask_create_custom.name": '"mine"',
    "maskdm_mask_draw.index": "rig.index", "maskdm_mask_draw.count": "2",
    "maskdm_model_create.network": '"uvit"', "maskdm_model_create.options": "rig.network_options",
    "maskdm_model_estimate.network": '"uvit"', "maskdm_model_estimate.options": "rig.network_options",
    "maskdm_model_estimate.size": "&rig.size", "maskdm_model_estimate.train": "1",
    "maskdm_model_load.path": "rig.model_file", "maskdm_model_load_memory.bytes": "rig.model_bytes",
    "maskdm_model_load_memory.size": "rig.model_size", "maskdm_model_save.path": "rig.written",
    "maskdm_model_parameter_find.name": "maskdm_model_parameter_name(rig.model, 0)",
    "maskdm_model_get_parameter.count": "rig.parameter", "maskdm_model_set_parameter.count": "rig.parameter",
    "maskdm_trainer_gradient.count": "rig.parameter", "maskdm_model_predict.visible": "2",
    "maskdm_model_predict.index": "rig.index",
    "maskdm_trainer_set_gradient.count": "rig.parameter", "maskdm_optimizer_set_lr.lr": "1e-4",
    "maskdm_optimizer_set_group.pattern": '"*.bias"', "double lr_factor": "0.5", "double weight_decay": "0",
    "maskdm_optimizer_create.options": "rig.optimizer_options", "maskdm_optimizer_create.ema": "rig.ema_options",
    "maskdm_optimizer_bind.optimizer": "rig.own", "maskdm_optimizer_bind.count": "1", "maskdm_optimizer_bind.names": "rig.names",
    "maskdm_optimizer_bind.shapes": "rig.four", "maskdm_optimizer_bind.matrices": "rig.index",
    "maskdm_optimizer_bind.weights": "rig.starts", "maskdm_optimizer_set_weights.optimizer": "rig.own",
    "maskdm_optimizer_set_gradient.optimizer": "rig.own", "maskdm_optimizer_weights.optimizer": "rig.own",
    "maskdm_optimizer_average.optimizer": "rig.own", "maskdm_optimizer_average.width": "0",
    "maskdm_optimizer_decay.width": "0", "int64_t update": "0", "maskdm_average_coefficients.count": "2",
    "maskdm_average_coefficients.positions": "rig.times + 1", "maskdm_average_coefficients.stds": "rig.deviations",
    "double position": "7", "double std": "0.1", "maskdm_average.options": "rig.job",
    "maskdm_trainer_snapshot.folder": "rig.folder", "maskdm_trainer_snapshot.dtype": '"F16"',
    "maskdm_options_create.kind": '"uvit"', "maskdm_options_get.name": '"dim"', "maskdm_options_parse.text": '"dim=16"',
    "maskdm_options_parse_json.json": '"{}"', "maskdm_options_parse_json.size": "2",
    "maskdm_options_parse_yaml.options": "rig.staged", "maskdm_options_parse_yaml.yaml": '"lr: 1.0e-4"', "maskdm_options_parse_yaml.size": "10",
    "maskdm_options_parse_yaml.log": "hear",
    "maskdm_options_set.name": '"dim"', "maskdm_options_set.value": '"16"', "maskdm_options_set_bool.name": '"qkv_bias"',
    "maskdm_options_set_float.name": '"mlp_ratio"', "maskdm_options_set_float.value": "4",
    "maskdm_options_set_bool.value": "1",
    "maskdm_options_set_int.name": '"dim"', "maskdm_options_set_int.value": "16",
    "maskdm_options_set_list.name": '"image_size"', "maskdm_options_set_list.value": "rig.eights",
    "maskdm_options_set_list.count": "2", "maskdm_options_describe.fact": '"help"',
    "maskdm_sampler_create.options": "rig.sampler_options", "maskdm_sampler_create_custom.options": "rig.sampler_options",
    "maskdm_sampler_create_guided.options": "rig.guided_options", "maskdm_sampler_create_guided.guide": "rig.model",
    "maskdm_sampler_create_custom.classes": "3", "maskdm_denoise_callback": "denoise", "maskdm_sampler_run.out": "rig.bytes",
    "maskdm_sampler_run_from.x": "rig.floats", "maskdm_sampler_run.seeds": "rig.seeds",
    "maskdm_scheduler_create.options": "rig.scheduler_options", "maskdm_scheduler_table.name": '"betas"',
    "maskdm_scheduler_table.capacity": "64", "maskdm_scheduler_table.out": "rig.doubles",
    "maskdm_scheduler_times_of.numbers": "rig.times", "maskdm_scheduler_times_of.count": "2",
    "maskdm_scheduler_consistency_times.options": "rig.consistency_options",
    "maskdm_scheduler_consistency_times.stage": "0", "maskdm_scheduler_consistency_times.count": "2",
    "maskdm_scheduler_consistency_times.numbers": "rig.times", "maskdm_scheduler_consistency_times.below": "rig.doubles + 8",
    "maskdm_scheduler_consistency_loss.options": "rig.consistency_options", "maskdm_scheduler_consistency_loss.below": "rig.below",
    "maskdm_scheduler_consistency_loss.losses": "rig.doubles",
    "maskdm_scheduler_factors.name": '"signal"', "maskdm_scheduler_range.first": "&rig.number",
    "maskdm_solver_guide.channels": "3", "maskdm_scheduler_range.last": "&rig.number", "maskdm_solver_create.options": "rig.sampler_options",
    "maskdm_solver_times.capacity": "64", "maskdm_solver_input.time": "&rig.number",
    "maskdm_trainer_create.optimizer": "rig.unbound", "maskdm_trainer_create.options": "rig.trainer_options",
    "maskdm_trainer_draw.part": "0", "maskdm_trainer_load.path": "rig.state", "maskdm_trainer_load_under.path": "rig.state",
    "maskdm_trainer_load_under.may_differ": "rig.optional", "maskdm_trainer_load_under.count": "1",
    "maskdm_trainer_save.path": "rig.written",
    "maskdm_trainer_view.name": '"input"', "maskdm_trainer_view.count": "rig.numbers", "maskdm_trainer_validate.buckets": "2", "maskdm_trainer_validate.bucket": "rig.doubles",
    "maskdm_trainer_validate.loss": "&rig.number", "maskdm_trainer_set_batch.index": "rig.index",
    "maskdm_trainer_set_route.keep": "rig.places", "maskdm_trainer_set_path_drop.dropped": "rig.labels",
    "maskdm_train.options": "rig.job", "maskdm_pretrain.options": "rig.job", "maskdm_finetune.options": "rig.job", "maskdm_tune.options": "rig.job", "maskdm_trainer_tune.options": "rig.consistency_options", "maskdm_sample.options": "rig.job",
    "maskdm_convert.options": "rig.job", "maskdm_export.options": "rig.job", "maskdm_merge.options": "rig.job", "maskdm_evaluate.options": "rig.job", "maskdm_pack.options": "rig.job",
    "maskdm_control_set_progress.callback": "progress", "maskdm_control_set_log.callback": "hear",
    "maskdm_sampler_set_step.callback": "see_step", "maskdm_sampler_set_start.count": "1",
    "maskdm_sampler_set_start.strength": "0.5", "maskdm_sampler_set_hole.count": "1", "maskdm_sampler_set_hole.mask": "rig.grey",
    "maskdm_sampler_set_hole.options": "rig.inpaint_options", "maskdm_sampler_run_between.out": "rig.bytes",
    "maskdm_sampler_run_between.through": "rig.seeds", "maskdm_sampler_run_between.count": "2", "int64_t frames": "2",
    "const char *kind": '"uvit"', "const char *key": '"key"', "const maskdm_options *options": "rig.network_options",
    "maskdm_options *options": "rig.network_options",
    "char *buffer": "rig.text", "size_t capacity": "sizeof rig.text", "size_t *needed": "&rig.size",
    "int64_t *shape": "rig.shape", "int capacity": "8", "void *user": "&rig", "void *log_user": "&rig",
    "int64_t i": "0", "int64_t count": "4", "int64_t batch": "2", "int64_t n": "rig.values", "int64_t height": "8",
    "int64_t width": "8", "int channels": "3", "int64_t rows": "4", "int64_t columns": "4", "int64_t first": "0",
    "int64_t step": "0", "int64_t visible": "16", "int status": "0", "size_t row_stride": "0",
    "size_t image_stride": "0", "double fraction": "0.5", "double flip": "0.5", "uint64_t seed": "1",
    "int32_t *label": "&rig.label", "int32_t *labels": "rig.labels", "const int32_t *labels": "rig.labels",
    "int32_t *index": "rig.index", "const double *times": "rig.times", "double *times": "rig.doubles",
    "double *out": "rig.doubles", "double *loss": "&rig.number", "double *passes": "&rig.number", "double *whole": "&rig.number",
    "struct maskdm_cost *": "&rig.cost", "int64_t *out": "rig.numbers", "void *out": "rig.floats",
    "float *": "rig.floats", "const float *": "rig.more", "float *x0": "rig.third",
    "const float *x0": "rig.more",
    "int which": "MASKDM_WEIGHTS_EMA", "int guide_which": "MASKDM_WEIGHTS_EMA", "int sample_type": "MASKDM_SAMPLE_U8",
    "maskdm_model_set_metadata.value": '"value"', "maskdm_write_callback": "write_nowhere", "maskdm_read_callback": "read_model",
    "maskdm_allocate_callback": "take", "maskdm_free_callback": "give",
    "maskdm_log_callback": "hear", "maskdm_parallel_callback": "loop", "maskdm_data_fetch_callback": "fetch",
    "maskdm_data_encoded_callback": "fetch_file",
    "maskdm_mask_visible_callback": "visible", "maskdm_mask_draw_callback": "draw", "maskdm_drop_callback": "drop",
    "const maskdm_image *const *": "(const maskdm_image *const *)rig.images",
}
for handle in "comm control data device extractor features file file_writer image mask model optimizer sampler scheduler solver statistics trainer".split():
    VALUES["maskdm_%s *" % handle] = VALUES["const maskdm_%s *" % handle] = "rig." + handle

LARGEST = {"int": "INT_MAX", "int64_t": "INT64_MAX", "size_t": "SIZE_MAX"}


def sensible(function, kind, name):
    if kind.endswith("**") and not kind.startswith("const"):
        return "&made.%s_%s" % (kind.split()[0], name)
    for key in (function + "." + name, kind + (" " if not kind.endswith("*") else "") + name, kind):
        if key in VALUES:
            return VALUES[key]
    sys.exit("arguments.py does not know what to give %s for %s %s" % (function, kind, name))


def is_pointer(kind):
    return "*" in kind or kind.endswith("_callback")


def answer(result, checked):
    if result == "void":
        return "VOID"
    if result == "double":
        return "REAL"
    if "*" in result:
        return "POINTER"
    return "STATUS" if checked else "NUMBER"


calls, trials, made, seen = [], [], set(), 0
for f in api["functions"]:
    function, result, checked = f["name"], f["result"], f["must_check"]
    arguments = [(p["type"], p["name"]) for p in f["parameters"]]
    enums = {p["name"] for p in f["parameters"] if "enum" in p} - {"status"}
    seen += 1
    places = [sensible(function, kind, name) for kind, name in arguments]
    outs = [(kind.split()[0], "made.%s_%s" % (kind.split()[0], name)) for kind, name in arguments
            if kind.endswith("**") and not kind.startswith("const")]
    made |= set(outs)
    job = function in JOBS

    def trial(which, what, expected):
        calls.append("static void call_%d(void)\n{\n" % len(calls))
        text = "%s(%s);" % (function, ", ".join(which))
        if result == "void":
            calls[-1] += "    %s\n" % text
        else:
            calls[-1] += "    answer.%s = %s\n" % (answer(result, checked).lower(), text)
        for kind, place in outs:
            calls[-1] += "    %s_release(&%s);\n" % (kind, place)
        calls[-1] += "}\n"
        trials.append('    {"%s", "%s", %s, %s, call_%d},' % (function, what, answer(result, checked), expected,
                                                             len(calls) - 1))

    trial(places, "", "ANYTHING" if job or function in NOTHING or SILENT.match(function) else "SUCCESS")
    for i, (kind, name) in enumerate(arguments):
        wrong = lambda value: places[:i] + [value] + places[i + 1:]
        key = function + "." + name
        if is_pointer(kind):
            fine = name in NULLABLE or key in NULLABLE
            expected = "ANYTHING" if SILENT.match(function) else "REFUSAL" if not fine else \
                "ANYTHING" if job or function in NOTHING else "SUCCESS"
            trial(wrong("NULL"), name, expected)
            if kind == "const maskdm_options *" and not function.startswith("maskdm_options_"):
                other = "mask" if function in ("maskdm_data_open_folder", "maskdm_data_create_encoded", "maskdm_data_create_encoded_callback") else "folder"
                trial(wrong("rig.%s_options" % other), "%s of kind %s" % (name, other), "OUT_OF_RANGE")
        elif kind == "double":
            trial(wrong("(double)NAN"), name + " = NaN", "ANYTHING")
        elif name in enums:
            trial(wrong("-1"), name + " = -1", "OUT_OF_RANGE")
            trial(wrong("99"), name + " = 99", "OUT_OF_RANGE")
        elif kind in LARGEST and key not in EXTENTS:
            trial(wrong("(%s)-1" % kind), name + " = -1", "ANYTHING")
            trial(wrong(LARGEST[kind]), name + " = largest", "ANYTHING")

with open(out, "w") as f:
    f.write("/* Made by arguments.py out of the public headers. */\n\nstatic struct {\n")
    for kind, place in sorted(made, key=lambda m: m[1]):
        f.write("    %s *%s;\n" % (kind, place.split(".")[1]))
    f.write("} made;\n\n" + "\n".join(calls))
    f.write("\nstatic const struct trial trials[] = {\n" + "\n".join(trials) + "\n};\n")
    f.write("enum { FUNCTIONS = %d };\n" % seen)
