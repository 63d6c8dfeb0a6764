/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as weights of Inception, ours and pytorch-fid's, as a whole and as the JSON of a header that is put right
 * otherwise. No file as small as these has all of them: it is refused with a line, and nothing is written.
 */
#include "fuzz.h"
#include "require.h"

#include "../unit/archive.h"

#include "base/alloc.h"
#include "base/error.h"
#include "metric/extractor.h"
#include "tensorfile/tensorfile.h"

#include <maskdm/device.h>

#include <stdio.h>
#include <unistd.h>

const char *const mdm_fuzz_words[] = {"\"__metadata__\":",
                                      "\"maskdm.kind\":\"extractor\"",
                                      "\"maskdm.features\":\"inception-v3\"",
                                      "Conv2d_1a_3x3",
                                      "Mixed_7c.branch_pool",
                                      ".conv.weight",
                                      ".bn.running_var",
                                      ".weight",
                                      ".bias",
                                      "\"F32\"",
                                      "\"BF16\"",
                                      "\"shape\":[32]",
                                      "[32,3,3,3]",
                                      "[0]",
                                      "[0,1728]",
                                      "-1",
                                      "{",
                                      "}",
                                      ",",
                                      NULL};

static const char ours[] =
    "{\"__metadata__\":{\"maskdm.kind\":\"extractor\",\"maskdm.features\":\"inception-v3\"},"
    "\"Conv2d_1a_3x3.weight\":{\"dtype\":\"F16\",\"shape\":[32,3,3,3],\"data_offsets\":[0,1728]},"
    "\"Conv2d_1a_3x3.bias\":{\"dtype\":\"F16\",\"shape\":[32],\"data_offsets\":[1728,1792]}}";
static const char theirs[] =
    "{\"Conv2d_1a_3x3.conv.weight\":{\"dtype\":\"F16\",\"shape\":[32,3,3,3],\"data_offsets\":[0,1728]},"
    "\"Conv2d_1a_3x3.bn.weight\":{\"dtype\":\"F16\",\"shape\":[32],\"data_offsets\":[1728,1792]},"
    "\"Conv2d_1a_3x3.bn.bias\":{\"dtype\":\"F16\",\"shape\":[32],\"data_offsets\":[1792,1856]},"
    "\"Conv2d_1a_3x3.bn.running_mean\":{\"dtype\":\"F16\",\"shape\":[32],\"data_offsets\":[1856,1920]},"
    "\"Conv2d_1a_3x3.bn.running_var\":{\"dtype\":\"F16\",\"shape\":[32],\"data_offsets\":[1920,1984]},"
    "\"Mixed_7c.branch_pool.conv.weight\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[1984,1986]}}";

enum { DATA = 1986, FORMS = 2 };

static void put_file(struct bytes *b, const void *json, size_t n, size_t data)
{
    static const unsigned char zero[DATA];

    put_le(b, 8, n);
    put(b, json, n);
    put(b, zero, data);
}

/* Seeds 0 and 1 are files; 2 and 3 their JSON alone. */
size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    const char *json = i % FORMS ? theirs : ours;
    struct bytes b = {0};
    size_t size = 0;

    if (i < 0 || i >= 2 * FORMS)
        return 0;
    if (i < FORMS)
        put_file(&b, json, strlen(json), i ? DATA : 1792);
    else
        put_string(&b, json);
    if (b.size <= capacity)
        memcpy(out, b.data, size = b.size);
    free(b.data);
    return size;
}

static char folder[64], path[96], made[96];

static void remove_folder(void)
{
    (void)rmdir(folder);
}

static maskdm_device *open_device(void)
{
    maskdm_options *o;
    maskdm_device *device;

    snprintf(folder, sizeof folder, "/tmp/maskdm_fuzz_XXXXXX");
    require(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
    snprintf(path, sizeof path, "%s/x", folder);
    snprintf(made, sizeof made, "%s/y", folder);
    require(maskdm_options_create(&o, "device") == MASKDM_OK && maskdm_options_parse(o, "threads=1") == MASKDM_OK);
    require(maskdm_device_open(&device, "cpu", o) == MASKDM_OK);
    maskdm_options_release(&o);
    return device;
}

static void judge(const void *data, size_t size)
{
    static maskdm_device *device; /* of the whole process */
    struct mdm_tensorfile f;
    maskdm_extractor *e;
    FILE *file;
    long before;

    if (!device)
        device = open_device();
    before = mdm_alloc_live();
    file = fopen(path, "wb");
    require(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    mdm_fail(MASKDM_OK, "%s", ""); /* so that a line is of this call */
    require(mdm_extractor_load(&e, device, path) < 0 && !e && *mdm_error_text());
    if (mdm_tensorfile_open(&f, path) >= 0) {
        require(mdm_extractor_convert(&f, made, NULL) < 0 && access(made, F_OK) != 0);
        mdm_tensorfile_close(&f);
    }
    (void)unlink(path);
    require(mdm_alloc_live() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {0};

    judge(data, size);
    put_file(&b, data, size, DATA);
    judge(b.data, b.size);
    free(b.data);
    return 0;
}
