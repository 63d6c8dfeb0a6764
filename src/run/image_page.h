/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a PNG file is and says of itself, as a page. See maskdm_report().
 */
#ifndef MASKDM_RUN_IMAGE_PAGE_H
#define MASKDM_RUN_IMAGE_PAGE_H

#include "text/text.h"

int mdm_image_page(struct mdm_text *out, const char *path, int json);

#endif
