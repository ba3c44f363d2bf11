#include "model/infer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/layers.h"

namespace ghostnet {
namespace {

Shapes shapes_of(const Architecture& architecture) {
  Shapes shapes;
  for (const Layer& layer : describe_layers(architecture, 224, 224)) {
    for (const ParameterSpec& parameter : layer.parameters) shapes[parameter.name] = parameter.shape;
  }
  return shapes;
}

Architecture v1(double width, int64_t classes) {
  Architecture architecture;
  architecture.stages = ghostnet_v1_stages();
  architecture.width = width;
  architecture.num_classes = classes;
  return architecture;
}

TEST(InferArchitecture, FindsWidthAndClasses) {
  for (const double width : {0.5, 1.0, 1.3, 0.75, 1.6, 0.1}) {
    const Architecture found = infer_architecture(shapes_of(v1(width, 17)));
    EXPECT_EQ(found.num_classes, 17);
    EXPECT_EQ(shapes_of(found), shapes_of(v1(width, 17))) << width;
  }
  EXPECT_EQ(variant_name(infer_architecture(shapes_of(v1(0.5, 10)))), "ghostnet_050");
  EXPECT_EQ(variant_name(infer_architecture(shapes_of(v1(1.0, 10)))), "ghostnet_100");
  EXPECT_EQ(variant_name(infer_architecture(shapes_of(v1(1.3, 10)))), "ghostnet_130");
}

TEST(InferArchitecture, FindsACustomStageTable) {
  Architecture custom = v1(0.5, 4);
  custom.stages = {{{3, 16, 16, 0, 1}}, {{5, 48, 24, 0.25, 2}, {5, 64, 24, 0.5, 1}}};
  const Architecture found = infer_architecture(shapes_of(custom));
  EXPECT_EQ(shapes_of(found), shapes_of(custom));
  EXPECT_EQ(variant_name(found), "custom");
}

TEST(InferArchitecture, RefusesOtherNetworks) {
  for (const char* key :
       {"conv_stem.weight", "classifier.weight", "blocks.0.0.ghost1.primary_conv.0.weight"}) {
    Shapes shapes = shapes_of(v1(1, 10));
    shapes.erase(key);
    EXPECT_THROW(infer_architecture(shapes), Error) << key;
  }
}

TEST(CheckParameters, NamesWhatIsMissingUnexpectedAndOfAnotherShape) {
  const Architecture architecture = v1(1, 10);
  Shapes shapes = shapes_of(architecture);
  shapes.erase("bn1.weight");
  shapes["extra.weight"] = {3};
  shapes["conv_head.bias"] = {7};
  try {
    check_parameters(architecture, shapes);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::GHOSTNET_PARAMETERS_MISMATCH);
    EXPECT_EQ(error.found(),
              "1 missing: bn1.weight; 1 of the wrong shape: conv_head.bias is [7], expected [1280]; 1 "
              "unexpected: extra.weight");
  }
}

TEST(CheckParameters, CountersMayBeMissing) {
  Shapes shapes = shapes_of(v1(1, 10));
  std::erase_if(shapes, [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  EXPECT_NO_THROW(check_parameters(v1(1, 10), shapes));
}

}  // namespace
}  // namespace ghostnet
