/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What people use first: flags with an example each, whole commands that do something, and the files that those
 * leave. The commands are run by the tests.
 */
#include "cli/cli.h"

#include <string.h>

static const char run_files[] = "RUN/options.json\tevery option, for --config\n"
                                "RUN/data.json\tthe images by name, size and mark, so that a resumed run knows them\n"
                                "RUN/log.jsonl\tlosses, rates and times, a line of JSON each\n"
                                "RUN/checkpoint-STEP.safetensors\twhat --resume goes on from\n"
                                "RUN/model.safetensors\tthe newest model, for sample, finetune and evaluate\n"
                                "RUN/samples-STEP.png\tpreviews, where they are asked for\n";
static const char sample_files[] = "DIR/options.json\tevery option, which --resume is held to\n"
                                   "DIR/SEED.png, DIR/SEED-LABEL.png\tthe images\n";

static const struct page {
    const char *command;
    struct first flag[FIRST_MOST];
    const char *example[4], *files;
} pages[] = {
    {"train",
     {{"stages", "--stages run.json"},
      {"data", "--data faces"},
      {"out", "--out run"},
      {"init", "--init run/model.safetensors"},
      {"image_size", "--image-size 64"},
      {"patch_size", "--patch-size 4"},
      {"dim", "--dim 256"},
      {"lr", "--lr 2e-4"},
      {"batch_size", "--batch-size 64"},
      {"classes", "--classes auto"},
      {"val_share", "--val-share 0.05"},
      {"resume", "--resume"}},
     {"maskdm train --data faces --out staged --preset quick32"},
     run_files},
    {"pretrain",
     {{"data", "--data faces"},
      {"out", "--out run"},
      {"image_size", "--image-size 64"},
      {"patch_size", "--patch-size 4"},
      {"dim", "--dim 256"},
      {"mask", "--mask block"},
      {"mask_ratio", "--mask-ratio 0.75"},
      {"batch_size", "--batch-size 64"},
      {"steps", "--steps 20000"},
      {"lr", "--lr 2e-4"},
      {"classes", "--classes auto"},
      {"resume", "--resume"}},
     {"maskdm pretrain --data faces --out run --image-size 32 --patch-size 4 --steps 1000",
      "maskdm pretrain --data faces --out labelled --image-size 32 --patch-size 4 --classes auto --label-dropout "
      "0.1"},
     run_files},
    {"finetune",
     {{"init", "--init run/model.safetensors"},
      {"data", "--data faces"},
      {"out", "--out whole"},
      {"batch_size", "--batch-size 32"},
      {"steps", "--steps 5000"},
      {"lr", "--lr 1e-4"},
      {"image_size", "--image-size 128"},
      {"classes", "--classes auto"},
      {"lora_rank", "--lora-rank 8"},
      {"freeze", "--freeze '*.bias'"},
      {"flip", "--flip 0.5"},
      {"resume", "--resume"}},
     {"maskdm pretrain --data faces --out run --image-size 32 --patch-size 4",
      "maskdm finetune --init run/model.safetensors --data faces --out whole --steps 500"},
     run_files},
    {"tune",
     {{"init", "--init whole/model.safetensors"},
      {"data", "--data faces"},
      {"out", "--out tuned"},
      {"batch_size", "--batch-size 32"},
      {"steps", "--steps 5000"},
      {"lr", "--lr 1e-4"},
      {"seed", "--seed 1"},
      {"sample_every", "--sample-every 500"},
      {"save_minutes", "--save-minutes 5"},
      {"threads", "--threads 2"},
      {"resume", "--resume"}},
     {"maskdm pretrain --data faces --out run --image-size 32 --patch-size 4",
      "maskdm tune --init run/model.safetensors --data faces --out tuned --steps 500"},
     run_files},
    {"sample",
     {{"model", "--model run/model.safetensors"},
      {"out", "--out grid.png"},
      {"count", "--count 16"},
      {"label", "--label cat,dog"},
      {"guidance", "--guidance 2.5"},
      {"sampler", "--sampler dpmpp"},
      {"steps", "--steps 20"},
      {"seed", "--seed 1"},
      {"columns", "--columns 4"},
      {"init_image", "--init-image face.png"},
      {"weights", "--weights online"},
      {"resume", "--resume"}},
     {"maskdm pretrain --data faces --out run --image-size 32 --patch-size 4",
      "maskdm sample --model run/model.safetensors --count 16 --seed 1 --out grid.png",
      "maskdm sample --model run/model.safetensors --count 1000 --out drawn"},
     sample_files},
    {"evaluate",
     {{"model", "--model run/model.safetensors"},
      {"data", "--data faces"},
      {"images", "--images drawn"},
      {"reference", "--reference faces"},
      {"features", "--features inception.safetensors"},
      {"count", "--count 1000"},
      {"val_count", "--val-count 256"},
      {"image_size", "--image-size 64"},
      {"label", "--label cat,dog"},
      {"weights", "--weights online"},
      {"json", "--json"},
      {"threads", "--threads 2"}},
     {"maskdm pretrain --data faces --out run --image-size 32 --patch-size 4",
      "maskdm evaluate --model run/model.safetensors --data faces"},
     NULL},
    {"data",
     {{"data", "--data faces"},
      {"out", "--out sheet.png"},
      {"masked", "--masked"},
      {"image_size", "--image-size 64"},
      {"resize", "--resize area"},
      {"crop", "--crop none"},
      {"pad", "--pad"},
      {"flip", "--flip 0.5"},
      {"mask", "--mask block"},
      {"mask_ratio", "--mask-ratio 0.75"},
      {"seed", "--seed 1"},
      {"json", "--json"}},
     {"maskdm data faces", "maskdm data faces --out sheet.png --masked --mask block --mask-ratio 0.75"},
     NULL},
};

static const struct page *page_of(const struct command *command)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].command, command->name) == 0)
            return &pages[i];
    return NULL;
}

const struct first *first_flag(const struct command *command, int i)
{
    const struct page *page = page_of(command);

    return page && i >= 0 && i < FIRST_MOST && page->flag[i].name ? &page->flag[i] : NULL;
}

const char *first_example(const struct command *command, int i)
{
    const struct page *page = page_of(command);

    return page && i >= 0 && i < (int)(sizeof page->example / sizeof *page->example) ? page->example[i] : NULL;
}

const char *first_files(const struct command *command)
{
    const struct page *page = page_of(command);

    return page ? page->files : NULL;
}
