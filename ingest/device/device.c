#include "ingest/device/device.h"

#include <string.h>

#define DEVICE_AS_SKU_NAME(id, name) name,
const char *const device_sku_names[SKU_COUNT] = {DEVICE_SKU_MAP(DEVICE_AS_SKU_NAME)};
#define DEVICE_AS_MODEL_NAME(id, name) name,
const char *const device_model_names[MODEL_COUNT] = {DEVICE_MODEL_MAP(DEVICE_AS_MODEL_NAME)};

bool
device_sku_find(const char *name, enum device_sku *ret_sku)
{
    for (unsigned i = 0; i < SKU_COUNT; i++) {
        if (strcmp(device_sku_names[i], name) == 0) {
            *ret_sku = (enum device_sku)i;
            return true;
        }
    }
    return false;
}
