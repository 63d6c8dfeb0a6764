/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a file of adapters, beginning with a good one: taken beside the model, or refused with a line.
 */
#include "fuzz.h"
#include "require.h"

#include <maskdm/maskdm.h>

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const mdm_fuzz_words[] = {"\"maskdm.kind\":",
                                      "\"maskdm.network\":",
                                      "\"maskdm.lora.options\":",
                                      "\"maskdm.lora.base\":",
                                      "\"maskdm.labels\":",
                                      "base_model.model.",
                                      ".lora_A.weight",
                                      ".lora_B.weight",
                                      "\\\"rank\\\": ",
                                      "\\\"alpha\\\": ",
                                      "\\\"on\\\": ",
                                      "\"F32\"",
                                      "\"BF16\"",
                                      "\"adapter\"",
                                      "\"uvit\"",
                                      "null",
                                      "4096",
                                      "1e308",
                                      "-1",
                                      "*",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      ",",
                                      "\xff",
                                      NULL};

static struct {
    maskdm_model *base;
    char *bytes, path[64];
    size_t size;
    long live;
} good;

static maskdm_options *options(const char *kind, const char *text)
{
    maskdm_options *o;

    require(maskdm_options_create(&o, kind) == MASKDM_OK && maskdm_options_parse(o, text) == MASKDM_OK);
    return o;
}

static void prepare(void)
{
    maskdm_options *d, *n, *l;
    maskdm_device *device;
    maskdm_model *adapted;

    if (good.base)
        return;
    d = options("device", "threads=1");
    n = options("uvit", "image_size=4 patch_size=2 dim=4 depth=1 heads=1 mlp_ratio=1");
    l = options("lora", "rank=1 on=*attn*");
    require(maskdm_device_open(&device, "cpu", d) == MASKDM_OK);
    require(maskdm_model_create(&good.base, device, "uvit", n, NULL, 1) == MASKDM_OK);
    require(maskdm_model_adapt(&adapted, good.base, MASKDM_WEIGHTS_EMA, l, 1) == MASKDM_OK);
    snprintf(good.path, sizeof good.path, "fuzz-adapter-%ld.tmp", (long)getpid());
    require(maskdm_model_save_adapter(adapted, MASKDM_WEIGHTS_EMA, good.path) == MASKDM_OK);
    require(mdm_file_read_all(&good.bytes, &good.size, good.path, 1 << 20) == MASKDM_OK);
    require(unlink(good.path) == 0);
    maskdm_model_release(&adapted);
    maskdm_device_release(&device);
    maskdm_options_release(&d);
    maskdm_options_release(&n);
    maskdm_options_release(&l);
    good.live = mdm_alloc_live();
}

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    prepare();
    if (i || good.size > capacity)
        return 0;
    memcpy(out, good.bytes, good.size);
    return good.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    maskdm_model *adapted;
    FILE *f;
    int status;

    prepare();
    f = fopen(good.path, "wb");
    require(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
    status = maskdm_model_load_adapter(&adapted, good.base, good.path, size % 2);
    require(status == MASKDM_OK || status == MASKDM_EFORMAT || status == MASKDM_EINVAL || status == MASKDM_EVERSION);
    require(status == MASKDM_OK || strstr(maskdm_last_error(), good.path));
    maskdm_model_release(&adapted);
    require(mdm_alloc_live() == good.live);
    unlink(good.path);
    return 0;
}
