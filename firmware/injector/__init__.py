"""The injector's firmware. `app` puts the parts together; `ports` alone touches the chip."""
