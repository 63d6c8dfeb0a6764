/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a configuration of diffusers: refused in a line, or options that a network or a scheduler judges as it
 * judges anybody's. A file that begins with a space is a U-Net's, one with a line's end a transformer's, any other a
 * scheduler's.
 */
#include "fuzz.h"

#include "base/alloc.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "model/options.h"
#include "run/diffusers.h"

#include <stdlib.h>
#include <string.h>

static const char *const seeds[] = {
    " {\"_class_name\": \"UNet2DModel\", \"sample_size\": 16, \"act_fn\": \"silu\", \"attention_head_dim\": null, "
    "\"block_out_channels\": [8, 16], \"down_block_types\": [\"DownBlock2D\", \"AttnDownBlock2D\"], "
    "\"up_block_types\": [\"AttnUpBlock2D\", \"ResnetUpsampleBlock2D\"], \"norm_num_groups\": 4, \"norm_eps\": "
    "1e-06, "
    "\"freq_shift\": 1, \"flip_sin_to_cos\": false, \"num_class_embeds\": 3, \"out_channels\": 6, \"dropout\": 0.1}",
    "{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"linear\", \"beta_start\": 0.0001, \"beta_end\": 0.02, "
    "\"num_train_timesteps\": 20, \"trained_betas\": null, \"variance_type\": \"fixed_large\", \"clip_sample\": "
    "true, "
    "\"prediction_type\": \"v_prediction\", \"timestep_spacing\": \"trailing\", \"steps_offset\": 1}",
    "{\"_class_name\": \"DDIMScheduler\", \"trained_betas\": [0.1, 0.2, 0.3], \"num_train_timesteps\": 3, "
    "\"set_alpha_to_one\": false, \"rescale_betas_zero_snr\": true}",
    "\n{\"_class_name\": \"DiTTransformer2DModel\", \"sample_size\": 16, \"patch_size\": 4, \"in_channels\": 3, "
    "\"out_channels\": 6, \"num_layers\": 2, \"num_attention_heads\": 2, \"attention_head_dim\": 8, "
    "\"num_embeds_ada_norm\": 3, \"norm_type\": \"ada_norm_zero\", \"activation_fn\": \"gelu-approximate\"}",
};

const char *const mdm_fuzz_words[] = {"null",
                                      "true",
                                      "[]",
                                      "{}",
                                      "[[1]]",
                                      "\"",
                                      ",",
                                      "1e999",
                                      "-1",
                                      "0",
                                      "9223372036854775807",
                                      "\"sample_size\"",
                                      "\"_class_name\"",
                                      "\"trained_betas\"",
                                      "UNet2DModel",
                                      "DDIMScheduler",
                                      "\"in_channels\": 1",
                                      NULL};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    const char *seed = i < (int)(sizeof seeds / sizeof *seeds) ? seeds[i] : "";
    size_t n = strlen(seed);

    if (n > capacity)
        return 0;
    memcpy(out, seed, n);
    return n;
}

static void judge(int status)
{
    if (status < 0 && status != MASKDM_EFORMAT && status != MASKDM_ENOTSUP && status != MASKDM_EINVAL)
        abort();
    if (status < 0 && !*maskdm_last_error())
        abort();
}

static void read_network(const char *name, const struct mdm_config *c,
                         int (*read)(maskdm_options *o, const struct mdm_config *c, int sized,
                                     const struct mdm_log *log))
{
    const struct mdm_network *network = mdm_network_find(name);
    maskdm_options *o;
    struct mdm_geometry g;
    int status;

    if (mdm_options_create(&o, network->kind) < 0)
        abort();
    status = read(o, c, 0, &(struct mdm_log){0});
    judge(status);
    if (status >= 0)
        judge(network->geometry(&g, o));
    mdm_options_release(&o);
}

static void read_scheduler(const struct mdm_config *c)
{
    maskdm_options *o, *sampler;
    maskdm_scheduler *scheduler = NULL;
    int status;

    if (mdm_options_create(&o, &mdm_scheduler_kind) < 0 || mdm_options_create(&sampler, &mdm_sampler_kind) < 0)
        abort();
    status = mdm_diffusers_scheduler(o, sampler, c, &(struct mdm_log){0});
    judge(status);
    if (status >= 0)
        judge(mdm_scheduler_create(&scheduler, o));
    mdm_scheduler_drop(&scheduler);
    mdm_options_release(&o);
    mdm_options_release(&sampler);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const long live = mdm_alloc_live();
    struct mdm_config c;
    int status = mdm_config_read(&c, (const char *)data, size);

    judge(status);
    if (status >= 0 && size && data[0] == ' ')
        read_network("unet", &c, mdm_diffusers_unet);
    else if (status >= 0 && size && data[0] == '\n')
        read_network("dit", &c, mdm_diffusers_dit);
    else if (status >= 0)
        read_scheduler(&c);
    mdm_config_free(&c);
    if (mdm_alloc_live() != live)
        abort();
    return 0;
}
