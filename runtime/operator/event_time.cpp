#include "runtime/operator/event_time.h"

#include "runtime/expr/functions/event_window.h"

namespace flowrun {

bool is_window_type(const Type& type) {
  return type.id() == TypeId::struct_ && type.fields().size() == 2 &&
         type.fields()[0].type.id() == TypeId::timestamp &&
         type.fields()[1].type.id() == TypeId::timestamp;
}

std::optional<int64_t> watermark_delay_of(const Expression& expression, const Schema& schema) {
  const std::optional<size_t> column = expression.time_column();
  return column ? schema.field(*column).watermark_delay : std::nullopt;
}

Result<EventTime> EventTime::bind(const OptionValue& option, const SchemaPtr& schema,
                                  const ExpressionEnvironment& environment) {
  const Binder binder(Scope{schema}, environment);
  auto bound = binder.bind(option.text);
  if (!bound) return option.place(std::move(bound.error()));
  EventTime time;
  time.watermark_delay_ = watermark_delay_of(**bound, *schema);
  time.name_ = (*bound)->name();
  const bool window = is_window_type((*bound)->type());
  const std::string text = window ? "window_time(" + option.text + ")" : option.text;
  bound = binder.bind_as(text, Type::timestamp());
  if (!bound) return option.place(std::move(bound.error()));
  time.expression_ = *bound;
  return time;
}

}  // namespace flowrun
