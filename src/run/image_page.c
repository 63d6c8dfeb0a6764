/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The page of a picture; see image_page.h. A picture may come from anybody, so that a text becomes one line that
 * can be shown.
 */
#include "run/image_page.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/png_text.h"
#include "os/file.h"

#include <string.h>

struct page {
    struct mdm_text *out;
    int json, texts;
};

static int add_line(struct mdm_text *out, const char *text)
{
    const size_t capacity = 4 * strlen(text) + 1; /* a byte is shown as \xNN */
    char *line = mdm_need(capacity, 1, "a text");

    if (!line)
        return MASKDM_ENOMEM;
    mdm_one_line(line, capacity, text);
    mdm_text_add(out, line);
    mdm_free(line);
    return MASKDM_OK;
}

static int add_text(void *user, const char *key, const char *text)
{
    struct page *p = user;

    if (p->json) {
        mdm_text_add(p->out, p->texts++ ? "],[" : "[");
        mdm_text_add_json(p->out, key);
        mdm_text_add(p->out, ",");
        mdm_text_add_json(p->out, text);
    } else {
        mdm_text_addf(p->out, "  %s: ", key);
        MDM_TRY(add_line(p->out, text));
        mdm_text_add(p->out, "\n");
    }
    return mdm_text_ok(p->out);
}

static int add_all(struct page *p, const char *path, const char *bytes, size_t size)
{
    int64_t height, width;
    int channels, bits;

    MDM_TRY(mdm_png_header(bytes, size, &height, &width, &channels, &bits));
    if (p->json) {
        mdm_text_add(p->out, "{\"picture\":");
        mdm_text_add_json_bytes(p->out, path);
        mdm_text_addf(p->out, ",\"height\":%lld,\"width\":%lld,\"channels\":%d,\"bits\":%d,\"texts\":[",
                      (long long)height, (long long)width, channels, bits);
    } else {
        MDM_TRY(add_line(p->out, path));
        mdm_text_addf(p->out, ": PNG, %lld x %lld pixels, %d channel%s of %d bits\n", (long long)height,
                      (long long)width, channels, channels == 1 ? "" : "s", bits);
    }
    MDM_TRY(mdm_png_texts(bytes, size, add_text, p));
    if (p->json)
        mdm_text_add(p->out, p->texts ? "]]}\n" : "]}\n");
    return mdm_text_ok(p->out);
}

int mdm_image_page(struct mdm_text *out, const char *path, int json)
{
    struct page p = {.out = out, .json = json};
    char *bytes;
    size_t size;
    int status;

    MDM_TRY(mdm_file_read_all(&bytes, &size, path, MDM_PICTURE_FILE));
    status = add_all(&p, path, bytes, size);
    if (status < 0 && status != MASKDM_ENOMEM)
        status = mdm_fail_prefix(status, "%s", path);
    mdm_free(bytes);
    return status;
}
