/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a file of labels: refused with a line, or names with labels in range.
 */
#include "fuzz.h"
#include "require.h"
#include "text.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/label_file.h"

#include <string.h>

const char *const mdm_fuzz_words[] = {"Bald",   "Smiling", "a.jpg", " -1",  " 1", ",1", ",-1", " 65535",
                                      " 65536", "2\n",     "\n",    "\r\n", "\t", ",",  " ",   "18446744073709551616",
                                      "-",      NULL};

static const char *const seeds[] = {"2\nBald Smiling\na.jpg  1 -1\nb.jpg -1  1\n",
                                    "image_id,Bald\na.jpg,1\nb.jpg,-1\n", "a.jpg 3\nb.jpg 65535\n"};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    return seed_text(seeds, sizeof seeds / sizeof *seeds, i, out, capacity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const attribute[] = {"", "Bald"};
    static maskdm_options *options; /* of the whole process */
    long before;

    if (!options)
        require(maskdm_options_create(&options, "folder") == MASKDM_OK);
    before = mdm_alloc_live();
    for (int i = 0; i < 2; i++) {
        struct mdm_label_list l = {0};
        const int status = mdm_label_file_read(&l, (const char *)data, size, attribute[i], "--label-attribute");

        require(status == MASKDM_OK || status == MASKDM_EFORMAT || status == MASKDM_EINVAL);
        for (int64_t k = 0; k < l.count; k++)
            require(l.entry[k].label >= 0 && l.entry[k].label <= MDM_LABEL_MOST && *l.entry[k].name);
        mdm_label_list_free(&l);
    }
    require(mdm_alloc_live() == before);
    return 0;
}
