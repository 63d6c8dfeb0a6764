/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Image files that the host hands out when asked, from wherever it has them. They are read as those of a folder are,
 * on the thread that called the API, so that broken ones, the cache and its limit mean the same.
 */
#include "data/folder_private.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/format.h"
#include "data/source.h"

#include <string.h>

struct host {
    maskdm_data_encoded_callback fetch;
    maskdm_drop_callback drop; /* or NULL */
    void *user;
};

static int ask(const struct mdm_scan *s, int64_t i, const void **file, size_t *size)
{
    const struct host *h = s->source;
    const int64_t theirs = (int64_t)s->file[i].place; /* which those that are left out do not change */
    int32_t label = -1;

    *file = NULL;
    *size = 0;
    if (h->fetch(h->user, theirs, file, size, &label))
        return mdm_fail(MASKDM_ECANCELED, "the host's data function stopped at image %lld", (long long)theirs);
    if (!*file)
        return mdm_fail(MASKDM_EINVAL, "its bytes are NULL");
    if (label < -1)
        return mdm_fail(MASKDM_EINVAL, "its label is %d: -1 is none, classes start at 0", (int)label);
    s->file[i].label = label;
    return MASKDM_OK;
}

static int read_image(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    const void *file;
    size_t size;
    int r = ask(s, i, &file, &size);

    if (r == MASKDM_ECANCELED)
        return r;
    if (r >= 0)
        r = mdm_image_decode(out, file, size, how);
    return r < 0 ? mdm_fail_prefix(r, "%s", s->file[i].path) : r;
}

static void finish(void *source)
{
    struct host *h = source;

    if (h->drop)
        h->drop(h->user);
    mdm_free(h);
}

static const struct mdm_source_class kind = {.image = read_image, .close = finish};

/* Their numbers are their names, in an order that is that of the numbers. */
static int list_images(struct mdm_scan *s, int64_t count)
{
    const int digits = mdm_scan_digits(count);
    char name[32];

    s->file = mdm_need((size_t)count, sizeof *s->file, "the list of images"); /* what is too many is seen at once */
    if (!s->file)
        return MASKDM_ENOMEM;
    s->capacity = count;
    for (int64_t i = 0; i < count; i++) {
        char *copy;

        mdm_format(name, sizeof name, "image %0*lld", digits, (long long)i);
        copy = mdm_strdup(name);
        if (!copy)
            return mdm_fail_memory(strlen(name) + 1, "the list of images");
        MDM_TRY(mdm_scan_add(s, copy, 0, -1, (uint64_t)i));
    }
    return MASKDM_OK;
}

static void count_labels(maskdm_data *data, const struct mdm_scan *s)
{
    for (int64_t i = 0; i < s->count; i++)
        if (s->file[i].label >= data->labels)
            data->labels = (int64_t)s->file[i].label + 1;
}

static int open_all(maskdm_data **out, maskdm_device *device, struct mdm_scan *s,
                    const struct mdm_folder_options *told, const maskdm_options *from, maskdm_control *control)
{
    struct mdm_folder_options here = *told;

    here.loaders = 0;
    MDM_TRY(mdm_data_folder(out, device, "the host's images", s, &here, from));
    (*out)->files = NULL;
    (*out)->callers = 1;
    return mdm_data_read(*out, 0, mdm_control_log(control), control);
}

int mdm_data_encoded_callback(maskdm_data **out, maskdm_device *device, int64_t count,
                              maskdm_data_encoded_callback fetch, maskdm_drop_callback drop, void *user,
                              const struct mdm_folder_options *told, const maskdm_options *from,
                              maskdm_control *control)
{
    struct mdm_scan s = {.kind = &kind};
    struct host *h;
    int r;

    *out = NULL;
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "a data set of %lld images", (long long)count);
    h = s.source = mdm_need(1, sizeof *h, "a host's images");
    if (!h)
        return MASKDM_ENOMEM;
    *h = (struct host){fetch, NULL, user};
    r = list_images(&s, count);
    if (r >= 0)
        r = open_all(out, device, &s, told, from, control);
    mdm_scan_free(&s);
    if (r < 0) {
        mdm_data_release(out);
        return r;
    }
    h->drop = drop; /* where it failed, the caller has it still */
    count_labels(*out, &((struct mdm_folder *)*out)->scan);
    return MASKDM_OK;
}
