/// The connect flow for apps.
