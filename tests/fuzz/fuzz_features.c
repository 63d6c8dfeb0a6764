/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a file of features or of statistics, as a whole, as the JSON of a header that is put right otherwise,
 * and as the one array of an archive: refused with a line, or rows and covariances that can be worked with.
 */
#include "fuzz.h"
#include "require.h"

#include "../unit/archive.h"

#include "base/alloc.h"
#include "base/error.h"
#include "metric/features.h"
#include "tensorfile/tensorfile.h"

#include <math.h>

const char *const mdm_fuzz_words[] = {"\"features\":",
                                      "\"mean\":",
                                      "\"covariance\":",
                                      "\"mu\":",
                                      "\"sigma\":",
                                      "\"__metadata__\":",
                                      "\"maskdm.features\":",
                                      "\"maskdm.count\":",
                                      "\"dtype\":",
                                      "\"F64\"",
                                      "\"BF16\"",
                                      "\"shape\":[0,3]",
                                      "\"shape\":[3,0]",
                                      "\"shape\":[16385,1]",
                                      "\"shape\":[4]",
                                      "[2,2]",
                                      "\"-1\"",
                                      "\"9223372036854775807\"",
                                      "'shape': (2, 3)",
                                      "'shape': (3,)",
                                      "{",
                                      "}",
                                      ",",
                                      NULL};

static const char rows[] = "{\"__metadata__\":{\"maskdm.kind\":\"features\",\"maskdm.features\":\"x\"},"
                           "\"features\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]}}";
static const char sums[] = "{\"__metadata__\":{\"maskdm.count\":\"7\",\"maskdm.features\":\"x\"},"
                           "\"mean\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                           "\"covariance\":{\"dtype\":\"F64\",\"shape\":[2,2],\"data_offsets\":[16,48]}}";
static const char array[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }";
static const double numbers[6] = {1, 2, 4, 0.5, 0.5, 1}; /* a mean and a covariance, and some floats */

enum { DATA = sizeof numbers };

/* Seeds 0 and 1 are files; 2 and 3 their JSON alone; 4 is an array of NumPy's. */
size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    const char *json = i % 2 ? sums : rows;
    struct bytes b = {0};
    size_t size = 0;

    if (i < 0 || i > 4)
        return 0;
    if (i < 2)
        put_le(&b, 8, strlen(json));
    if (i < 4)
        put_string(&b, json);
    if (i < 2)
        put(&b, numbers, DATA);
    if (i == 4)
        put_array(&b, array, numbers, DATA);
    if (b.size <= capacity) {
        size = b.size;
        memcpy(out, b.data, size);
    }
    free(b.data);
    return size;
}

static void work_with(maskdm_statistics *s)
{
    double distance;
    const int status = mdm_statistics_distance(s, s, NULL, &distance);

    require(status == MASKDM_OK || status == MASKDM_EINVAL || status == MASKDM_ENONFINITE);
    require(status < 0 || !isnan(distance));
}

static void judge_statistics(maskdm_device *device, struct mdm_tensorfile *f)
{
    maskdm_statistics *s;
    const int status = mdm_statistics_read_file(&s, device, f);

    require(status == MASKDM_OK || status == MASKDM_EFORMAT || status == MASKDM_EINVAL || status == MASKDM_ENOTSUP);
    require((status == MASKDM_OK) == (s != NULL));
    if (!s)
        return;
    require(s->width >= 1 && s->width <= MDM_METRIC_WIDTH && s->count >= 0);
    if (s->width < 100)
        work_with(s);
    mdm_statistics_drop(&s);
}

static void judge_features(maskdm_device *device, struct mdm_tensorfile *f)
{
    maskdm_features *x;
    maskdm_statistics *s = NULL;
    const int status = mdm_features_read(&x, device, f);

    require(status == MASKDM_OK || status == MASKDM_EFORMAT || status == MASKDM_ENOTSUP);
    require((status == MASKDM_OK) == (x != NULL) && (!x || mdm_features_are_in(f)));
    if (!x)
        return;
    require(x->width >= 1 && x->width <= MDM_METRIC_WIDTH && x->count >= 0);
    for (int64_t i = 0; i < x->count * x->width; i++)
        require(isfinite(x->row[i]));
    if (x->width < 100 && mdm_features_statistics(&s, x, NULL) == MASKDM_OK)
        work_with(s);
    mdm_statistics_drop(&s);
    mdm_features_drop(&x);
}

static void judge(const uint8_t *data, size_t size)
{
    static maskdm_device *device; /* of the whole process */
    struct mdm_tensorfile f;
    maskdm_options *o = NULL;
    long before;
    int status;

    if (!device) {
        require(maskdm_options_create(&o, "device") == MASKDM_OK &&
                maskdm_options_parse(o, "threads=1") == MASKDM_OK);
        require(maskdm_device_open(&device, "cpu", o) == MASKDM_OK);
        maskdm_options_release(&o);
    }
    before = mdm_alloc_live();
    status = mdm_tensorfile_open_memory(&f, data, size);
    require(status == MASKDM_OK || status == MASKDM_EFORMAT || status == MASKDM_EVERSION);
    if (!status) {
        judge_statistics(device, &f);
        judge_features(device, &f);
        mdm_tensorfile_close(&f);
    }
    require(mdm_alloc_live() == before);
}

/* In a block of just its size, so that a byte behind it is seen. */
static void judge_exactly(const struct bytes *b)
{
    uint8_t *exact = malloc(b->size);

    require(exact != NULL);
    memcpy(exact, b->data, b->size);
    judge(exact, b->size);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive a = {.no_crc = 1, .plain = 1};
    struct bytes b = {0};

    judge(data, size);
    put_le(&b, 8, size);
    put(&b, data, size);
    put(&b, numbers, DATA);
    judge_exactly(&b);
    free(b.data);
    add_entry(&a, "features.npy", data, size);
    end_archive(&a);
    judge_exactly(&a.file);
    free_archive(&a);
    return 0;
}
