/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as the metadata of a training state, whose tensors are right and whose digest is put right, so that what
 * is read of the metadata is reached: taken, or refused with a line and the trainer as it was.
 */
#include "fuzz.h"
#include "require.h"

#include <maskdm/maskdm.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "os/file.h"
#include "tensorfile/safetensors_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const mdm_fuzz_words[] = {"\"maskdm.kind\":",
                                      "\"maskdm.step\":",
                                      "\"maskdm.version\":",
                                      "\"maskdm.network\":",
                                      "\"maskdm.mask\":",
                                      "\"maskdm.network.options\":",
                                      "\"maskdm.trainer.options\":",
                                      "\"maskdm.digest\":\"xxh64:",
                                      "\"state\"",
                                      "\"uvit\"",
                                      "\"0.1.0\"",
                                      "9.9.9",
                                      "\"\"",
                                      "{}",
                                      "\\\"",
                                      "\\\\",
                                      "\\u0000",
                                      "null",
                                      "[",
                                      "]",
                                      "{",
                                      "}",
                                      ",",
                                      ":",
                                      "\"",
                                      "0",
                                      "1",
                                      "-1",
                                      "1e9",
                                      "99999999999999999999",
                                      "\xff",
                                      "\"x\":\"y\"",
                                      " ",
                                      NULL};

/* The trainer that loads, and the state that it saved: its bytes, where its metadata begin and end. */
static struct {
    maskdm_trainer *trainer;
    char *bytes, path[64];
    size_t size, head, begin, end;
    long live;
} good;

static maskdm_options *options(const char *kind, const char *text)
{
    maskdm_options *o;

    require(maskdm_options_create(&o, kind) == MASKDM_OK && maskdm_options_parse(o, text) == MASKDM_OK);
    return o;
}

static void make_trainer(void)
{
    maskdm_options *d = options("device", "threads=1"), *n, *t;
    maskdm_device *device;
    maskdm_optimizer *optimizer;
    maskdm_model *model;

    n = options("uvit", "image_size=4 patch_size=2 dim=4 depth=1 heads=1 mlp_ratio=1");
    t = options("trainer", "batch_size=2");
    require(maskdm_device_open(&device, "cpu", d) == MASKDM_OK);
    require(maskdm_model_create(&model, device, "uvit", n, NULL, 1) == MASKDM_OK);
    require(maskdm_optimizer_create(&optimizer, NULL, NULL) == MASKDM_OK);
    require(maskdm_trainer_create(&good.trainer, model, NULL, optimizer, t, NULL) == MASKDM_OK);
    maskdm_optimizer_release(&optimizer);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
    maskdm_options_release(&d);
    maskdm_options_release(&n);
    maskdm_options_release(&t);
}

/* Once: the metadata's object stands first in the header, as text without braces in it. */
static void prepare(void)
{
    static const char key[] = "{\"__metadata__\":";
    const char *at;
    int quoted = 0;

    if (good.trainer)
        return;
    make_trainer();
    snprintf(good.path, sizeof good.path, "fuzz-state-%ld.tmp", (long)getpid());
    require(maskdm_trainer_save(good.trainer, good.path) == MASKDM_OK);
    require(mdm_file_read_all(&good.bytes, &good.size, good.path, 1 << 20) == MASKDM_OK);
    require(unlink(good.path) == 0);
    good.head = MDM_SAFETENSORS_LENGTH + (size_t)mdm_load_le(good.bytes, MDM_SAFETENSORS_LENGTH);
    good.begin = MDM_SAFETENSORS_LENGTH + sizeof key - 1;
    require(!memcmp(good.bytes + MDM_SAFETENSORS_LENGTH, key, sizeof key - 1));
    for (at = good.bytes + good.begin; quoted || *at != '}'; at++)
        quoted = *at == '\\' ? (at++, quoted) : *at == '"' ? !quoted : quoted;
    good.end = (size_t)(at + 1 - good.bytes);
    good.live = mdm_alloc_live();
}

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    size_t n;

    prepare();
    n = good.end - good.begin;
    if (i || n > capacity)
        return 0;
    memcpy(out, good.bytes + good.begin, n);
    return n;
}

/* The good state with other metadata, and with the digest that it then has. */
static char *forge(const uint8_t *data, size_t size, size_t *total)
{
    const size_t head = good.head - (good.end - good.begin) + size;
    struct mdm_digest d;
    size_t digits;
    char *file, text[MDM_SAFETENSORS_DIGITS + 1];

    *total = good.size - good.head + head;
    file = malloc(*total);
    require(file != NULL);
    memcpy(file, good.bytes, good.begin);
    memcpy(file + good.begin, data, size);
    memcpy(file + good.begin + size, good.bytes + good.end, good.size - good.end);
    mdm_store_le(file, MDM_SAFETENSORS_LENGTH, head - MDM_SAFETENSORS_LENGTH);
    digits = mdm_safetensors_digest_at(file, head);
    if (digits) {
        mdm_safetensors_digest_start(&d, file, head, digits);
        mdm_digest_add(&d, file + head, *total - head);
        mdm_digest_text(&d, text);
        memcpy(file + digits, text, MDM_SAFETENSORS_DIGITS);
    }
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total;
    char *file;
    FILE *f;
    int status;

    prepare();
    file = forge(data, size, &total);
    f = fopen(good.path, "wb");
    require(f && fwrite(file, 1, total, f) == total && fclose(f) == 0);
    status = maskdm_trainer_load(good.trainer, good.path);
    require(status == MASKDM_OK || status == MASKDM_EFORMAT || status == MASKDM_EINVAL || status == MASKDM_EVERSION);
    require(status == MASKDM_OK || strstr(maskdm_last_error(), good.path));
    require(maskdm_trainer_steps(good.trainer) == 0 && mdm_alloc_live() == good.live);
    unlink(good.path);
    free(file);
    return 0;
}
