/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a tar archive of images, as they are and with the checksums of headers put right, since few
 * mutations keep them; and as a label beside an image in an archive that is right otherwise.
 */
#include "fuzz.h"
#include "source.h"

#include "../unit/tar.h"

const char *const mdm_fuzz_words[] = {"../",
                                      "./",
                                      "/",
                                      ".png",
                                      ".cls",
                                      ".json",
                                      "dataset.json",
                                      "00000000000",
                                      "77777777777",
                                      "0000644",
                                      "ustar",
                                      "20 path=x.png\n",
                                      "9 size=3\n",
                                      "GNU.sparse",
                                      "{\"label\": 3}",
                                      "\x80",
                                      "L",
                                      "x",
                                      "5",
                                      "2",
                                      NULL};

static void add(struct bytes *b, char type, const char *name, const char *text)
{
    put_tar(b, type, name, text, strlen(text));
}

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    struct bytes b = {0};
    size_t size = 0;

    if (i < 0 || i > 3)
        return 0;
    if (i == 0) {
        add(&b, '0', "a/1.png", "x");
        add(&b, '0', "a/1.cls", "3\n");
    } else if (i == 1) {
        add(&b, 'x', "p", "17 path=b/2.png\n");
        add(&b, '0', "2", "x");
    } else if (i == 2) {
        add(&b, 'L', "././@LongLink", "c/d/3.png");
        add(&b, '0', "3", "x");
    } else {
        add(&b, '5', "a/", "");
        add(&b, '0', "a/4.jpg", "x");
        add(&b, '0', "dataset.json", "{\"labels\": [[\"a/4.jpg\", 1]]}");
    }
    end_tar(&b);
    if (b.size <= capacity)
        memcpy(out, b.data, size = b.size);
    free(b.data);
    return size;
}

static void repair(uint8_t *data, size_t size)
{
    for (size_t at = 0; size - at >= TAR_BLOCK && at < size; at += TAR_BLOCK)
        if (data[at] || data[at + 156])
            sum_tar(data + at);
}

static void beside(const char *name, const uint8_t *data, size_t size)
{
    struct bytes b = {0};

    put_tar(&b, '0', "1.png", "x", 1);
    put_tar(&b, '0', name, data, size);
    end_tar(&b);
    try_source("x.tar", b.data, b.size);
    free(b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    require(copy != NULL);
    memcpy(copy, data, size);
    try_source("x.tar", data, size);
    repair(copy, size);
    try_source("x.tar", copy, size);
    free(copy);
    beside("1.cls", data, size);
    beside("1.json", data, size);
    beside("dataset.json", data, size);
    return 0;
}
