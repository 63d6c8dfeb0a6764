/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands in the authors' configurations, one entry after the other.
 */
#include "option/authors.h"

#define FLAG "it is of their program's command line"
#define DATA "the option data says which images are trained on"
#define UNREAD "their program does not read it"
#define RANGE "images lie between -1 and 1 here"

static const struct mdm_authors_entry entries[] = {
    {.path = "pretrained_model_ckpt", .agrees = "",
     .otherwise = "maskdm convert makes a model of a checkpoint, which the option init names"},
    {.path = "results_folder", .agrees = "", .otherwise = "the option out names the folder of the run"},
    {.path = "batch_size", .option = "batch_size"},
    {.path = "lr", .option = "lr"},
    {.path = "warmup_steps", .option = "warmup_steps"},
    {.path = "warmup_lr", .agrees = "-1", .otherwise = UNREAD},
    {.path = "warmup_schedule", .agrees = "lambda", .otherwise = UNREAD},
    {.path = "adam_betas", .together = 1},
    {.path = "weight_decay", .option = "weight_decay"},
    {.path = "clip_grad", .together = 1},
    {.path = "ema_decay", .option = "ema_decay"},
    {.path = "ema_update_every", .option = "ema_every"},
    {.path = "loss_type", .option = "loss"},
    {.path = "loss_weight", .together = 1},
    {.path = "p2_loss_weight_gamma", .together = 1},
    {.path = "beta_schedule", .together = 1},
    {.path = "shift", .together = 1},
    {.path = "num_workers",
     .otherwise = "how many threads read images is this machine's matter (the option loaders)"},
    {.path = "normalization", .agrees = "true", .otherwise = UNREAD " here, but as dataset.NORMALIZATION"},
    {.path = "clip_max", .agrees = "1", .otherwise = RANGE, .refused = 1},
    {.path = "clip_min", .agrees = "-1", .otherwise = RANGE, .refused = 1},
    {.path = "clip_denoised", .agrees = "true", .otherwise = "pictures are clipped, or not, where they are drawn"},
    {.path = "seed", .option = "seed"},
    {.path = "train_steps", .option = "steps"},
    {.path = "gradient_accumulate_every", .agrees = "1", .refused = 1,
     .otherwise = "a step of theirs then has as many batches; here batch_size counts all, and accumulate the parts"},
    {.path = "name", .otherwise = FLAG},
    {.path = "save_and_sample_every", .otherwise = FLAG "; the options save_every and sample_every are its like"},
    {.path = "num_samples", .otherwise = FLAG "; the option sample_count is its like"},
    {.path = "resume_from", .agrees = "", .otherwise = FLAG "; the option resume is its like"},
    {.path = "overwrite", .otherwise = FLAG},
    {.path = "debug", .otherwise = FLAG},
    {.path = "wandb_id", .agrees = "", .otherwise = FLAG},
    {.path = "wandb_project", .otherwise = FLAG},

    {.path = "dataset.NAME", .otherwise = DATA},
    {.path = "dataset.PATH", .agrees = "", .otherwise = DATA},
    {.path = "dataset.TASK", .together = 1},
    {.path = "dataset.MASK_TYPE", .together = 1},
    {.path = "dataset.MASK_RATIO", .together = 1},
    {.path = "dataset.MASK_BLOCK_SIZE", .together = 1},
    {.path = "dataset.MASK_CROP_SIZE", .together = 1},
    {.path = "dataset.IMG_SIZE", .together = 1},
    {.path = "dataset.SHORT_SIDE_SIZE", .together = 1},
    {.path = "dataset.MEAN", .agrees = "0.5,0.5,0.5", .otherwise = UNREAD ", and " RANGE},
    {.path = "dataset.STD", .agrees = "0.5,0.5,0.5", .otherwise = UNREAD ", and " RANGE},
    {.path = "dataset.hflip_prob", .option = "flip"},
    {.path = "dataset.NORMALIZATION", .agrees = "true", .otherwise = RANGE, .refused = 1},
    {.path = "dataset.USE_DWT", .together = 1},
    {.path = "dataset.DWT_LEVEL", .agrees = "1", .otherwise = "there is one level of wavelets here", .refused = 1},

    {.path = "network.name", .together = 1},
    {.path = "network.img_size", .together = 1},
    {.path = "network.patch_size", .option = "patch_size"},
    {.path = "network.in_chans", .together = 1},
    {.path = "network.data_chans", .together = 1},
    {.path = "network.level", .agrees = "1", .otherwise = "there is one level of wavelets here", .refused = 1},
    {.path = "network.scale", .together = 1},
    {.path = "network.encoder_embed_dim", .option = "dim"},
    {.path = "network.encoder_depth", .option = "depth"},
    {.path = "network.encoder_heads", .option = "heads"},
    {.path = "network.decoder_depth", .agrees = "0", .refused = 1,
     .otherwise = "there are no decoders of further blocks behind the network here"},
    {.path = "network.decoder_embed_dim", .otherwise = "there is no decoder"},
    {.path = "network.decoder_heads", .otherwise = "there is no decoder"},
    {.path = "network.mlp_ratio", .option = "mlp_ratio"},
    {.path = "network.qkv_bias", .option = "qkv_bias"},
    {.path = "network.num_classes", .together = 1},
    {.path = "network.p_uncond", .together = 1},
    {.path = "network.use_final_conv", .option = "conv"},
    {.path = "network.mlp_time_embed", .option = "time_mlp"},
    {.path = "network.use_checkpoint", .agrees = "false", .otherwise = "what memory is for is planned here"},
    {.path = "network.dropout", .agrees = "0", .otherwise = "their program sets it to 0"},
};

const struct mdm_authors_entry *mdm_authors_entry_at(int i)
{
    _Static_assert(MDM_LENGTH(entries) <= MDM_AUTHORS_ENTRIES, "there is room for all");
    return i >= 0 && (size_t)i < MDM_LENGTH(entries) ? &entries[i] : NULL;
}
