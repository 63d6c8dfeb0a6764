/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folders of diffusers: what its settings become, which of them are refused and how, and which files are read.
 */
#include "run/diffusers.h"

#include "base/alloc.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "model/options.h"
#include "tensorfile/safetensors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The settings of google/ddpm-cifar10-32 and google/ddpm-celebahq-256. */
#define CIFAR                                                                                                        \
    "{\"_class_name\": \"UNet2DModel\", \"_diffusers_version\": \"0.0.4\", \"act_fn\": \"silu\", "                   \
    "\"attention_head_dim\": null, \"block_out_channels\": [128, 256, 256, 256], \"center_input_sample\": false, "   \
    "\"down_block_types\": [\"DownBlock2D\", \"AttnDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"], "               \
    "\"downsample_padding\": 0, \"flip_sin_to_cos\": false, \"freq_shift\": 1, \"in_channels\": 3, "                 \
    "\"layers_per_block\": 2, \"mid_block_scale_factor\": 1, \"norm_eps\": 1e-06, \"norm_num_groups\": 32, "         \
    "\"out_channels\": 3, \"sample_size\": 32, \"time_embedding_type\": \"positional\", \"up_block_types\": "        \
    "[\"UpBlock2D\", \"UpBlock2D\", \"AttnUpBlock2D\", \"UpBlock2D\"]}"

static int last_level;
static char last_line[256];

static void on_log(void *user, int level, const char *line)
{
    (void)user;
    last_level = level;
    snprintf(last_line, sizeof last_line, "%s", line);
}
static const struct mdm_log log_here = {on_log, NULL};

/* What the settings of a U-Net become, or NULL and the line. */
static maskdm_options *read_unet(const char *json, int *status)
{
    struct mdm_config c;
    maskdm_options *o = NULL;

    last_line[0] = '\0';
    ck_assert_int_eq(mdm_options_create(&o, &mdm_unet_kind), MASKDM_OK);
    *status = mdm_config_read(&c, json, strlen(json));
    if (*status >= 0)
        *status = mdm_diffusers_unet(o, &c, 0, &log_here);
    mdm_config_free(&c);
    if (*status < 0)
        mdm_options_release(&o);
    return o;
}

static void expect(const maskdm_options *o, const char *name, const char *value)
{
    ck_assert_ptr_nonnull(mdm_options_text(o, name));
    ck_assert_msg(!strcmp(mdm_options_text(o, name), value), "%s is %s, not %s", name, mdm_options_text(o, name),
                  value);
}

START_TEST(settings_become_options)
{
    static const char *const values[][2] = {
        {"image_size", "32"},
        {"channels", "3"},
        {"block_out_channels", "128,256,256,256"},
        {"layers_per_block", "2"},
        {"down_block_types", "DownBlock2D,AttnDownBlock2D,DownBlock2D,DownBlock2D"},
        {"up_block_types", "UpBlock2D,UpBlock2D,AttnUpBlock2D,UpBlock2D"},
        {"downsample_padding", "0"},
        {"attention_head_dim", "0"},
        {"norm_num_groups", "32"},
        {"norm_eps", "1e-6"},
        {"freq_shift", "1"},
        {"flip_sin_to_cos", "false"},
        {"classes", "0"},
        {"learn_sigma", "false"},
        {"mask_channel", "false"},
    };
    struct mdm_geometry g;
    int status;
    maskdm_options *o = read_unet(CIFAR, &status);

    ck_assert_msg(status == MASKDM_OK, "%s", maskdm_last_error());
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect(o, values[i][0], values[i][1]);
    ck_assert_int_eq(mdm_network_find("unet")->geometry(&g, o), MASKDM_OK);
    ck_assert_int_eq(g.outputs, 3);
    mdm_options_release(&o);
}
END_TEST

/* What a file leaves out has the value that it has there, not ours. */
START_TEST(missing_settings_are_theirs)
{
    int status;
    maskdm_options *o = read_unet("{\"sample_size\": [48, 64], \"out_channels\": 6, \"num_class_embeds\": 10, "
                                  "\"dropout\": 0.1, \"mid_block_scale_factor\": 1.0, \"act_fn\": \"swish\"}",
                                  &status);

    ck_assert_msg(status == MASKDM_OK, "%s", maskdm_last_error());
    expect(o, "image_size", "48,64");
    expect(o, "block_out_channels", "224,448,672,896");
    expect(o, "down_block_types", "DownBlock2D,AttnDownBlock2D,AttnDownBlock2D,AttnDownBlock2D");
    expect(o, "up_block_types", "AttnUpBlock2D,AttnUpBlock2D,AttnUpBlock2D,UpBlock2D");
    expect(o, "attention_head_dim", "8");
    expect(o, "downsample_padding", "1");
    expect(o, "flip_sin_to_cos", "true");
    expect(o, "freq_shift", "0");
    expect(o, "learn_sigma", "true");
    expect(o, "classes", "10");
    ck_assert_str_eq(last_line, "\"dropout\" 0.1 is not kept: it matters in training alone");
    ck_assert_int_eq(last_level, MASKDM_LOG_INFO);
    mdm_options_release(&o);
}
END_TEST

static const struct {
    const char *json;
    int status;
    const char *says;
} refused[] = {
    {"{\"sample_size\": 8, \"act_fn\": \"mish\"}", MASKDM_ENOTSUP, "\"act_fn\" is \"mish\""},
    {"{\"sample_size\": 8, \"act_fn\": \"mish\"}", MASKDM_ENOTSUP, "silu, swish is"},
    {"{\"sample_size\": 8, \"_class_name\": \"UNet2DConditionModel\"}", MASKDM_ENOTSUP, "UNet2DConditionModel"},
    {"{\"sample_size\": 8, \"time_embedding_type\": \"fourier\"}", MASKDM_ENOTSUP, "\"fourier\""},
    {"{\"sample_size\": 8, \"center_input_sample\": true}", MASKDM_ENOTSUP, "\"center_input_sample\" is \"true\""},
    {"{\"sample_size\": 8, \"mid_block_scale_factor\": 1.5}", MASKDM_ENOTSUP, "\"1.5\""},
    {"{\"sample_size\": 8, \"mid_block_type\": null}", MASKDM_ENOTSUP, "\"mid_block_type\" is \"null\""},
    {"{\"sample_size\": 8, \"class_embed_type\": \"timestep\"}", MASKDM_ENOTSUP, "\"class_embed_type\""},
    {"{\"sample_size\": 8, \"resnet_time_scale_shift\": \"spatial\"}", MASKDM_ENOTSUP, "\"spatial\""},
    {"{\"sample_size\": 8, \"out_channels\": 4}", MASKDM_ENOTSUP, "\"out_channels\" is 4 where \"in_channels\" is 3"},
    {"{\"sample_size\": 8, \"in_channels\": 9}", MASKDM_EFORMAT, "\"in_channels\""},
    {"{\"sample_size\": 8, \"cross_attention_dim\": 32}", MASKDM_ENOTSUP, "\"cross_attention_dim\" (32)"},
    {"{\"sample_size\": 8, \"addition\": {\"a\": [1]}}", MASKDM_ENOTSUP, "\"addition\" (nested)"},
    {"{\"sample_size\": 8, \"norm_num_groups\": null}", MASKDM_EFORMAT, "\"norm_num_groups\" is null"},
    {"{\"sample_size\": 8, \"norm_num_groups\": \"many\"}", MASKDM_EFORMAT, "\"norm_num_groups\""},
    {"{\"sample_size\": 8, \"layers_per_block\": [1, 2]}", MASKDM_EFORMAT, "\"layers_per_block\""},
    {"{\"sample_size\": 8, \"block_out_channels\": [[32], 32]}", MASKDM_EFORMAT, "neither a scalar nor a list"},
    {"{\"sample_size\": 8, \"block_out_channels\": []}", MASKDM_EFORMAT, "\"block_out_channels\""},
    {"{\"sample_size\": 8, \"block_out_channels\": [99999999999999999999]}", MASKDM_EFORMAT, "block_out_channels"},
    {"{\"sample_size\": [8, 8, 8]}", MASKDM_EFORMAT, "\"sample_size\""},
    {"{\"sample_size\": {}}", MASKDM_EFORMAT, "\"sample_size\""},
    {"{\"sample_size\": null}", MASKDM_EINVAL, "\"sample_size\" is null; give image_size"},
    {"{}", MASKDM_EINVAL, "\"sample_size\" is missing"},
    {"{\"sample_size\": 8, \"sample_size\": 8}", MASKDM_EFORMAT, "\"sample_size\" comes twice"},
    {"{\"down_block_types\": [\"A,B\"]}", MASKDM_EFORMAT, "has a comma"},
    {"[]", MASKDM_EFORMAT, ""},
    {"", MASKDM_EFORMAT, ""},
    {"{\"sample_size\": 8", MASKDM_EFORMAT, ""},
    {"{\"sample_size\": 8} x", MASKDM_EFORMAT, ""},
    {"{\"norm_eps\": NaN}", MASKDM_EFORMAT, ""},
    {"{\"a\": [[[[[[[[[1]]]]]]]]]}", MASKDM_EFORMAT, ""},
};

START_TEST(what_is_not_built_is_refused_by_name)
{
    const long live = mdm_alloc_live();
    int status;

    ck_assert_ptr_null(read_unet(refused[_i].json, &status));
    ck_assert_msg(status == refused[_i].status, "%s: %d, %s", refused[_i].json, status, maskdm_last_error());
    ck_assert_msg(strstr(maskdm_last_error(), refused[_i].says) != NULL, "%s: %s", refused[_i].json,
                  maskdm_last_error());
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

/* A block that is not built is named by the network, which knows those that are. */
START_TEST(blocks_are_judged_by_the_network)
{
    static const struct {
        const char *json, *says;
    } bad[] = {
        {"{\"sample_size\": 8, \"block_out_channels\": [32, 32], \"down_block_types\": [\"SkipDownBlock2D\", "
         "\"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"]}",
         "\"SkipDownBlock2D\" is not built; there are DownBlock2D"},
        {"{\"sample_size\": 8, \"block_out_channels\": [32, 32]}", "names 4 blocks for the 2 numbers"},
        {"{\"sample_size\": 8, \"block_out_channels\": [32, 40, 32, 32]}", "32 does not divide 40"},
        {"{\"sample_size\": 8, \"block_out_channels\": [32, 32, 32, 32], \"attention_head_dim\": 12}",
         "12 does not divide 32"},
        {"{\"sample_size\": 12, \"block_out_channels\": [32, 32, 32, 32]}", "is no multiple of 8"},
        {"{\"sample_size\": 16, \"block_out_channels\": [32, 32, 32, 32], \"freq_shift\": 16}",
         "16 leaves nothing of the 16 frequencies"},
        {"{\"sample_size\": 16, \"block_out_channels\": [1, 1, 1, 1], \"norm_num_groups\": 1, "
         "\"attention_head_dim\": 1}",
         "begins with 1"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mdm_geometry g;
        int status;
        maskdm_options *o = read_unet(bad[i].json, &status);

        ck_assert_msg(status == MASKDM_OK, "%s", maskdm_last_error());
        ck_assert_int_eq(mdm_network_find("unet")->geometry(&g, o), MASKDM_EINVAL);
        ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "%s", maskdm_last_error());
        mdm_options_release(&o);
    }
}
END_TEST

/* ---- schedulers ---- */

static int read_scheduler(const char *json, maskdm_options **o, maskdm_options **sampler)
{
    struct mdm_config c;
    int status;

    ck_assert_int_eq(mdm_options_create(o, &mdm_scheduler_kind), MASKDM_OK);
    ck_assert_int_eq(mdm_options_create(sampler, &mdm_sampler_kind), MASKDM_OK);
    status = mdm_config_read(&c, json, strlen(json));
    if (status >= 0)
        status = mdm_diffusers_scheduler(*o, *sampler, &c, &log_here);
    mdm_config_free(&c);
    return status;
}

START_TEST(schedulers_become_options)
{
    static const struct {
        const char *json, *scheduler[4][2], *sampler[6][2];
    } cases[] = {
        {"{\"_class_name\": \"DDPMScheduler\", \"_diffusers_version\": \"0.1.1\", \"beta_end\": 0.02, "
         "\"beta_schedule\": \"linear\", \"beta_start\": 0.0001, \"clip_sample\": true, "
         "\"num_train_timesteps\": 1000, \"trained_betas\": null, \"variance_type\": \"fixed_large\"}",
         {{"schedule", "linear"}, {"beta_start", "0.0001"}, {"beta_end", "0.02"}, {"timesteps", "1000"}},
         {{"sampler", "ddpm"}, {"variance", "fixed_large"}, {"clip", "true"}, {"spacing", "leading"}}},
        {"{\"_class_name\": \"DDIMScheduler\", \"beta_schedule\": \"scaled_linear\", \"beta_start\": 0.00085, "
         "\"beta_end\": 0.012, \"prediction_type\": \"v_prediction\", \"clip_sample\": false, "
         "\"rescale_betas_zero_snr\": true, \"timestep_spacing\": \"trailing\", \"steps_offset\": 1}",
         {{"schedule", "scaled_linear"}, {"beta_end", "0.012"}, {"prediction", "v"}, {"zero_terminal_snr", "true"}},
         {{"sampler", "ddim"}, {"clip", "false"}, {"spacing", "trailing"}, {"steps_offset", "1"}}},
        {"{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"squaredcos_cap_v2\", \"prediction_type\": "
         "\"sample\", \"num_train_timesteps\": 500, \"clip_sample_range\": 2.0}",
         {{"schedule", "cosine"}, {"timesteps", "500"}, {"prediction", "x0"}},
         {{"sampler", "ddpm"}, {"variance", "fixed_small"}, {"clip_range", "2"}}},
        {"{\"_class_name\": \"DDPMScheduler\", \"variance_type\": \"learned_range\", \"clip_sample\": false}",
         {{"schedule", "linear"}},
         {{"sampler", "ddpm"}, {"variance", "learned_range"}, {"clip", "false"}}},
        {"{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"sigmoid\"}",
         {{"schedule", "sigmoid_betas"}, {"beta_start", "0.0001"}, {"prediction", "noise"}},
         {{"sampler", "ddpm"}}},
        {"{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"laplace\", \"beta_start\": 0.0001}",
         {{"schedule", "laplace"}},
         {{"sampler", "ddpm"}}},
        {"{\"_class_name\": \"DDIMScheduler\", \"trained_betas\": [0.1, 0.2, 0.3], \"num_train_timesteps\": 3}",
         {{"schedule", "given"}, {"given_betas", "0.1,0.2,0.3"}, {"timesteps", "3"}},
         {{"sampler", "ddim"}, {"step_noise", "network"}, {"final_sigma", "zero"}}},
        {"{\"_class_name\": \"DDIMScheduler\", \"thresholding\": true, \"sample_max_value\": 1.5}",
         {{"schedule", "linear"}},
         {{"threshold", "true"}, {"threshold_share", "0.995"}, {"threshold_max", "1.5"}}},
        {"{\"_class_name\": \"UniPCMultistepScheduler\", \"thresholding\": false, \"sample_max_value\": 1.5}",
         {{"schedule", "linear"}},
         {{"threshold", "false"}, {"threshold_max", "1000"}}},
        {"{\"_class_name\": \"DDIMScheduler\", \"set_alpha_to_one\": false}",
         {{"schedule", "linear"}},
         {{"sampler", "ddim"}, {"final_sigma", "sigma_min"}}},
        {"{\"_class_name\": \"EulerDiscreteScheduler\", \"use_karras_sigmas\": true, \"timestep_spacing\": "
         "\"leading\", "
         "\"final_sigmas_type\": \"sigma_min\", \"sigma_min\": null}",
         {{"beta_end", "0.02"}},
         {{"sampler", "euler"},
          {"spacing", "karras"},
          {"karras_ends", "leading"},
          {"final_sigma", "sigma_min"},
          {"clip", "false"}}},
        {"{\"_class_name\": \"EulerAncestralDiscreteScheduler\"}",
         {{"beta_end", "0.02"}},
         {{"sampler", "euler_ancestral"}, {"spacing", "linspace"}, {"clip", "false"}}},
        {"{\"_class_name\": \"HeunDiscreteScheduler\", \"clip_sample\": true}",
         {{"beta_start", "0.00085"}, {"beta_end", "0.012"}},
         {{"sampler", "heun"}, {"spacing", "linspace"}, {"clip", "true"}}},
        {"{\"_class_name\": \"DPMSolverMultistepScheduler\", \"solver_order\": 3, \"use_karras_sigmas\": true, "
         "\"algorithm_type\": \"dpmsolver++\", \"lambda_min_clipped\": \"-inf\", \"beta_schedule\": "
         "\"squaredcos_cap_v2\"}",
         {{"schedule", "cosine"}},
         {{"sampler", "dpmpp"},
          {"order", "3"},
          {"karras_ends", "linspace"},
          {"told_times", "below"},
          {"low_order_below", "15"},
          {"sde", "false"}}},
        {"{\"_class_name\": \"UniPCMultistepScheduler\", \"solver_type\": \"bh1\", \"lower_order_final\": false, "
         "\"disable_corrector\": [], \"solver_p\": null}",
         {{"schedule", "linear"}},
         {{"sampler", "unipc"}, {"unipc_kind", "bh1"}, {"low_order_below", "0"}, {"spacing", "linspace"}}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maskdm_options *o, *sampler;
        maskdm_scheduler *made;

        ck_assert_msg(read_scheduler(cases[i].json, &o, &sampler) == MASKDM_OK, "%s", maskdm_last_error());
        for (int k = 0; k < 4 && cases[i].scheduler[k][0]; k++)
            expect(o, cases[i].scheduler[k][0], cases[i].scheduler[k][1]);
        for (int k = 0; k < 6 && cases[i].sampler[k][0]; k++)
            expect(sampler, cases[i].sampler[k][0], cases[i].sampler[k][1]);
        ck_assert_msg(mdm_scheduler_create(&made, o) == MASKDM_OK, "%s", maskdm_last_error());
        ck_assert_msg(mdm_options_check(sampler) == MASKDM_OK, "%s", maskdm_last_error());
        mdm_scheduler_drop(&made);
        mdm_options_release(&o);
        mdm_options_release(&sampler);
    }
}
END_TEST

START_TEST(schedulers_are_refused_by_name)
{
    static const struct {
        const char *json, *says;
        int status;
    } bad[] = {
        {"{\"_class_name\": \"KarrasVeScheduler\"}", "\"KarrasVeScheduler\", which is not built; there are DDPM",
         MASKDM_ENOTSUP},
        {"{}", "\"(missing)\"", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"cubic\"}", "\"cubic\"", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMScheduler\", \"variance_type\": \"learned\"}", "\"learned\"", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMScheduler\", \"set_alpha_to_one\": true}", "\"set_alpha_to_one\" (true)",
         MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMScheduler\", \"prediction_type\": \"flow_prediction\"}", "\"flow_prediction\"",
         MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DPMSolverMultistepScheduler\", \"algorithm_type\": \"dpmsolver\"}", "\"dpmsolver\"",
         MASKDM_ENOTSUP},
        {"{\"_class_name\": \"UniPCMultistepScheduler\", \"disable_corrector\": [0]}", "\"disable_corrector\"",
         MASKDM_ENOTSUP},
        {"{\"_class_name\": \"EulerDiscreteScheduler\", \"use_karras_sigmas\": \"yes\"}", "neither true nor false",
         MASKDM_EFORMAT},
        {"{\"_class_name\": \"DDPMScheduler\", \"thresholding\": \"much\"}", "\"thresholding\"", MASKDM_EFORMAT},
        {"{\"_class_name\": \"EulerDiscreteScheduler\", \"sigma_max\": 9}", "\"sigma_max\" is \"9\"", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMScheduler\", \"num_train_timesteps\": -5}", "\"num_train_timesteps\"",
         MASKDM_EFORMAT},
        {"{\"_class_name\": \"DDPMScheduler\", \"trained_betas\": \"file.npy\"}", "\"trained_betas\"",
         MASKDM_EFORMAT},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        maskdm_options *o, *sampler;
        const int status = read_scheduler(bad[i].json, &o, &sampler);

        ck_assert_msg(status == bad[i].status, "%s: %d %s", bad[i].json, status, maskdm_last_error());
        ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "%s: %s", bad[i].json, maskdm_last_error());
        mdm_options_release(&o);
        mdm_options_release(&sampler);
    }
}
END_TEST

/* ---- folders ---- */

#define UNET                                                                                                         \
    "{\"_class_name\": \"UNet2DModel\", \"sample_size\": 8, \"block_out_channels\": [4, 8], \"norm_num_groups\": "   \
    "2, "                                                                                                            \
    "\"attention_head_dim\": null, \"layers_per_block\": 1, \"down_block_types\": [\"DownBlock2D\", "                \
    "\"AttnDownBlock2D\"], \"up_block_types\": [\"AttnUpBlock2D\", \"UpBlock2D\"]}"
#define SCHEDULER "{\"_class_name\": \"DDIMScheduler\", \"num_train_timesteps\": 100}"
#define PIPELINE                                                                                                     \
    "{\"_class_name\": \"DDPMPipeline\", \"_diffusers_version\": \"0.1.1\", \"scheduler\": [\"diffusers\", "         \
    "\"DDPMScheduler\"], \"unet\": [\"diffusers\", \"UNet2DModel\"]}"

static const char *const files[] = {"f/model_index.json",
                                    "f/config.json",
                                    "f/scheduler_config.json",
                                    "f/diffusion_pytorch_model.safetensors",
                                    "f/diffusion_pytorch_model.bin",
                                    "f/diffusion_pytorch_model.fp16.safetensors",
                                    "f/diffusion_pytorch_model.safetensors.index.json",
                                    "f/unet/config.json",
                                    "f/unet/diffusion_pytorch_model.safetensors",
                                    "f/unet_ema/config.json",
                                    "f/unet_ema/diffusion_pytorch_model.safetensors",
                                    "f/scheduler/scheduler_config.json"};
static const char *const folders[] = {"f/unet", "f/unet_ema", "f/scheduler", "f"};

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void clear(void)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        rmdir(folders[i]);
}

static void begin(int parts)
{
    clear();
    ck_assert_int_eq(mkdir("f", 0777), 0);
    for (int i = 0; i < 3 && parts; i++)
        ck_assert_int_eq(mkdir(folders[i], 0777), 0);
}

/* Which files are found: separate parts, or all in one folder as the oldest ones have it. */
START_TEST(files_are_found)
{
    struct mdm_diffusers_folder f;

    begin(0);
    put("f/model_index.json", PIPELINE);
    put("f/config.json", UNET);
    put("f/scheduler_config.json", SCHEDULER);
    put("f/diffusion_pytorch_model.bin", "");
    ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), MASKDM_OK);
    ck_assert_str_eq(f.network, "f/config.json");
    ck_assert_str_eq(f.scheduler, "f/scheduler_config.json");
    ck_assert_str_eq(f.weights, "f/diffusion_pytorch_model.bin");
    ck_assert_ptr_null(f.average);
    mdm_diffusers_folder_free(&f);
    put("f/diffusion_pytorch_model.safetensors", "");
    ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), MASKDM_OK);
    ck_assert_str_eq(f.weights, "f/diffusion_pytorch_model.safetensors");
    ck_assert_ptr_nonnull(strstr(last_line, "not used: f/diffusion_pytorch_model.bin"));
    mdm_diffusers_folder_free(&f);

    begin(1);
    put("f/unet/config.json", UNET);
    put("f/unet/diffusion_pytorch_model.safetensors", "");
    put("f/unet_ema/diffusion_pytorch_model.safetensors", "");
    ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), MASKDM_OK);
    ck_assert_str_eq(f.weights, "f/unet/diffusion_pytorch_model.safetensors");
    ck_assert_str_eq(f.average, "f/unet_ema/diffusion_pytorch_model.safetensors");
    ck_assert_ptr_null(f.scheduler);
    mdm_diffusers_folder_free(&f);
    clear();
}
END_TEST

START_TEST(folders_are_refused)
{
    static const struct {
        const char *index, *says;
        int status;
    } bad[] = {
        {"{\"_class_name\": \"StableDiffusionPipeline\"}", "\"StableDiffusionPipeline\"", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMPipeline\"}", "\"unet\" is \"(missing)\"", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMPipeline\", \"unet\": [\"diffusers\", \"UNet1DModel\"]}", "UNet1DModel",
         MASKDM_ENOTSUP},
        {"{\"_class_name\": \"DDPMPipeline\", \"unet\": [\"diffusers\", \"UNet2DModel\"], \"vqvae\": [\"diffusers\", "
         "\"VQModel\"]}",
         "\"vqvae\" (diffusers,VQModel) is a part that is not built", MASKDM_ENOTSUP},
        {"{", "model_index.json", MASKDM_EFORMAT},
        {PIPELINE, "f has neither diffusion_pytorch_model.safetensors nor", MASKDM_ENOTFOUND},
    };
    struct mdm_diffusers_folder f;
    const long live = mdm_alloc_live();

    begin(0);
    ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), MASKDM_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "f has no config.json"));
    put("f/config.json", UNET);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("f/model_index.json", bad[i].index);
        ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), bad[i].status);
        ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "%s", maskdm_last_error());
    }
    put("f/diffusion_pytorch_model.safetensors.index.json", "{}");
    ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), MASKDM_ENOTSUP);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "several files"));
    put("f/diffusion_pytorch_model.fp16.safetensors", "");
    ck_assert_int_eq(mdm_diffusers_find(&f, "f", &log_here), MASKDM_OK);
    ck_assert_int_eq(last_level, MASKDM_LOG_WARN);
    mdm_diffusers_folder_free(&f);
    ck_assert_int_eq(mdm_alloc_live(), live);
    clear();
}
END_TEST

/* ---- models ---- */

static maskdm_device *device;

static maskdm_model *make_model(uint64_t seed)
{
    struct mdm_config c;
    maskdm_options *o;
    maskdm_model *model;

    ck_assert_int_eq(mdm_options_create(&o, &mdm_unet_kind), MASKDM_OK);
    ck_assert_int_eq(mdm_config_read(&c, UNET, strlen(UNET)), MASKDM_OK);
    ck_assert_int_eq(mdm_diffusers_unet(o, &c, 0, &log_here), MASKDM_OK);
    ck_assert_msg(mdm_model_create(&model, device, "unet", o, NULL, seed) == MASKDM_OK, "%s", maskdm_last_error());
    mdm_config_free(&c);
    mdm_options_release(&o);
    return model;
}

/* As diffusers' first versions called attention's parameters. */
static void old_name(char out[256], const char *name)
{
    static const char *const names[][2] = {
        {".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}};

    snprintf(out, 256, "%s", name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(name, names[i][0]);

        if (at)
            snprintf(out, 256, "%.*s%s%s", (int)(at - name), name, names[i][1], at + strlen(names[i][0]));
    }
}

static void save_weights(const maskdm_model *m, const char *path, int old, const char *more)
{
    static const int64_t one = 1;
    static const float zero = 0;
    struct mdm_safetensors_writer *w;
    char name[256];

    ck_assert_int_eq(mdm_safetensors_writer_create(&w), MASKDM_OK);
    for (int i = 0; i < m->layout.count; i++) {
        const struct mdm_param *p = &m->layout.list[i];

        snprintf(name, sizeof name, "%s", p->name);
        if (old)
            old_name(name, p->name);
        ck_assert_int_eq(mdm_safetensors_writer_add(w, name, "F32", p->shape.d, p->shape.n, m->ema + p->at), 0);
    }
    if (more)
        ck_assert_int_eq(mdm_safetensors_writer_add(w, more, "F32", &one, 1, &zero), 0);
    ck_assert_msg(mdm_safetensors_writer_save(w, path, 0) == MASKDM_OK, "%s", maskdm_last_error());
    mdm_safetensors_writer_release(&w);
}

static maskdm_options *convert_options(const char *more)
{
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, &mdm_convert_kind), MASKDM_OK);
    ck_assert_int_eq(mdm_options_parse(o, "from=f out=made.safetensors"), MASKDM_OK);
    ck_assert_msg(mdm_options_parse(o, more) == MASKDM_OK, "%s", maskdm_last_error());
    return o;
}

static int read_told(maskdm_model **out, const maskdm_options *o)
{
    struct mdm_convert_run_options told;

    mdm_options_read(o, &mdm_convert_run_options, &told);
    return mdm_diffusers_model(out, device, o, &told, &log_here);
}

static int read_model(maskdm_model **out, const char *more)
{
    maskdm_options *o = convert_options(more);
    const int status = read_told(out, o);

    mdm_options_release(&o);
    return status;
}

static int same(const maskdm_model *a, const float *block, const maskdm_model *b)
{
    return !memcmp(block, b->ema, mdm_model_bytes(a));
}

START_TEST(weights_are_read)
{
    const long live = mdm_alloc_live();
    maskdm_model *online = make_model(1), *average = make_model(2), *got;

    begin(1);
    put("f/unet/config.json", UNET);
    put("f/scheduler/scheduler_config.json", SCHEDULER);
    save_weights(online, "f/unet/diffusion_pytorch_model.safetensors", 1, NULL);
    rmdir("f/unet_ema");
    ck_assert_msg(read_model(&got, "") == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert(same(got, got->ema, online));
    ck_assert_ptr_null(got->online);
    expect(got->scheduler->options, "timesteps", "100");
    mdm_model_drop(&got);

    mkdir("f/unet_ema", 0777);
    save_weights(average, "f/unet_ema/diffusion_pytorch_model.safetensors", 0, NULL);
    ck_assert_msg(read_model(&got, "timesteps=100 image_size=16x8") == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert(same(got, got->ema, average) && same(got, got->online, online));
    ck_assert_int_eq(got->geometry.height, 16);
    mdm_model_drop(&got);
    ck_assert_int_eq(read_model(&got, "ema_from=none"), MASKDM_OK);
    ck_assert(same(got, got->ema, online) && !got->online);
    mdm_model_drop(&got);
    ck_assert_int_eq(read_model(&got, "online_from=none"), MASKDM_OK);
    ck_assert(same(got, got->ema, average) && !got->online);
    mdm_model_drop(&got);
    mdm_model_drop(&online);
    mdm_model_drop(&average);
    ck_assert_int_eq(mdm_alloc_live(), live);
    clear();
}
END_TEST

START_TEST(models_are_refused)
{
    static const struct {
        const char *options, *says;
        int status;
    } bad[] = {
        {"heads=2", "heads is for checkpoints that do not say it", MASKDM_EINVAL},
        {"ema_from=ema", "only none leaves one out", MASKDM_EINVAL},
        {"online_from=none", "the folder has no other weights", MASKDM_EINVAL},
        {"schedule=cosine", "schedule is cosine, but f/scheduler_config.json says linear", MASKDM_EINVAL},
        {"image_size=9", "9x9 is no multiple of 2", MASKDM_EINVAL},
        {"", "tensor \"time_proj.weight\" is none of the network's", MASKDM_EFORMAT},
    };
    const long live = mdm_alloc_live();
    maskdm_model *model = make_model(1), *got;

    begin(0);
    put("f/config.json", UNET);
    put("f/scheduler_config.json", SCHEDULER);
    save_weights(model, "f/diffusion_pytorch_model.safetensors", 0, "time_proj.weight");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(read_model(&got, bad[i].options), bad[i].status);
        ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "%s", maskdm_last_error());
    }
    put("f/config.json", "{\"sample_size\": 8, \"block_out_channels\": [4, 4], \"norm_num_groups\": 2, "
                         "\"layers_per_block\": 1, \"down_block_types\": [\"DownBlock2D\", \"DownBlock2D\"], "
                         "\"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"], \"attention_head_dim\": null}");
    ck_assert_int_eq(read_model(&got, ""), MASKDM_EFORMAT);
    ck_assert_msg(strstr(maskdm_last_error(), "has shape [") != NULL, "%s", maskdm_last_error());
    put("f/diffusion_pytorch_model.safetensors", "no weights");
    ck_assert_int_eq(read_model(&got, ""), MASKDM_EFORMAT);
    mdm_model_drop(&model);
    ck_assert_int_eq(mdm_alloc_live(), live);
    clear();
}
END_TEST

static int refuse_nth(void *user, size_t bytes)
{
    long *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(every_allocation_may_fail)
{
    maskdm_model *model = make_model(1), *got;
    long n = 0, left;
    const struct mdm_alloc_hook hook = {refuse_nth, &left};
    maskdm_options *o;
    int status;

    begin(0);
    put("f/model_index.json", PIPELINE);
    put("f/config.json", UNET);
    put("f/scheduler_config.json", SCHEDULER);
    save_weights(model, "f/diffusion_pytorch_model.safetensors", 1, NULL);
    o = convert_options("");
    do {
        const long live = mdm_alloc_live();

        left = n++;
        mdm_alloc_hook_set(&hook);
        status = read_told(&got, o);
        mdm_alloc_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "%ld: %d %s", n, status, maskdm_last_error());
        mdm_model_drop(&got);
        ck_assert_int_eq(mdm_alloc_live(), live);
    } while (status < 0);
    ck_assert_int_gt(n, 100);
    mdm_options_release(&o);
    mdm_model_drop(&model);
    clear();
}
END_TEST

/* In the process of the test, since a device's threads do not follow into a fork. */
static void open_device(void)
{
    ck_assert_int_eq(mdm_backend_open(&device, "cpu", NULL, NULL, 0, NULL), MASKDM_OK);
}

static void close_device(void)
{
    mdm_device_drop(&device);
}

int main(void)
{
    Suite *s = suite_create("diffusers");
    TCase *t = tcase_create("diffusers");
    char folder[] = "diffusers-XXXXXX";
    SRunner *r;
    int failed;

    if (!mkdtemp(folder) || chdir(folder))
        return EXIT_FAILURE;
    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_device, close_device);
    tcase_add_test(t, settings_become_options);
    tcase_add_test(t, missing_settings_are_theirs);
    tcase_add_loop_test(t, what_is_not_built_is_refused_by_name, 0, (int)(sizeof refused / sizeof *refused));
    tcase_add_test(t, blocks_are_judged_by_the_network);
    tcase_add_test(t, schedulers_become_options);
    tcase_add_test(t, schedulers_are_refused_by_name);
    tcase_add_test(t, files_are_found);
    tcase_add_test(t, folders_are_refused);
    tcase_add_test(t, weights_are_read);
    tcase_add_test(t, models_are_refused);
    tcase_add_test(t, every_allocation_may_fail);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    if (!chdir(".."))
        rmdir(folder);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
