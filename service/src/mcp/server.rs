//! The MCP server itself: which tools an agent sees, and calling them.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::schema::ToolSpec;
use super::tools;
use crate::error::ApiError;
use crate::state::AppState;
use crate::store::{Caller, Owner};

const INSTRUCTIONS: &str = "Connects apps such as Gmail or Slack for one user. Find an app with search_apps, make a \
    link with create_connection_link, and give it to the user, who opens it in a browser and consents or enters \
    credentials there; never ask for credentials yourself. Then look with check_connection_status whether the \
    connection is active. Credentials never pass through here: the product's backend fetches them elsewhere.";

/// Who asks, and for whom; put into each request before it gets here.
#[derive(Debug, Clone)]
pub(super) struct McpCaller {
    pub(super) caller: Caller,
    pub(super) owner: Owner,
}

/// One for all requests: it keeps nothing of them.
#[derive(Clone)]
pub(super) struct McpServer {
    app: AppState,
    tools: Arc<[ToolSpec]>,
}

/// What a tool says where it cannot do what it was asked for.
pub(super) enum ToolError {
    /// For the agent, which can do something about it.
    Tell(String),
    /// For nobody: the service failed.
    Internal,
}

impl McpServer {
    pub(super) fn new(app: AppState) -> Self {
        Self { app, tools: tools::all().into() }
    }

    async fn call(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        caller_of_tool: &McpCaller,
    ) -> Result<Value, ToolError> {
        let (app, owner) = (&self.app, &caller_of_tool.owner);
        match name {
            tools::SEARCH_APPS => give(tools::search_apps(app, owner, take(arguments)?).await?),
            tools::LIST_CONNECTIONS => give(tools::list_connections(app, owner, take(arguments)?).await?),
            tools::CREATE_CONNECTION_LINK => {
                give(tools::create_connection_link(app, owner, take(arguments)?).await?)
            }
            _ => give(tools::check_connection_status(app, owner, take(arguments)?).await?),
        }
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let server = Implementation::new("connect-service", env!("CARGO_PKG_VERSION"))
            .with_title("Connections")
            .with_description("Connects a user's apps");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(server)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller_of_tool = caller_of_tool(&context)?;
        let allowed = |tool: &&ToolSpec| caller_of_tool.caller.capabilities.contains(&tool.capability);
        let tools = self.tools.iter().filter(allowed).map(|tool| tool.tool.clone());
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let found = self.tools.iter().find(|tool| tool.tool.name == name)?;
        Some(found.tool.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller_of_tool = caller_of_tool(&context)?;
        let Some(found) = self.tools.iter().find(|tool| tool.tool.name == request.name) else {
            let names: Vec<_> = self.tools.iter().map(|tool| tool.tool.name.as_ref()).collect();
            let message = format!("There is no such tool; there are {}", names.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        };
        let result = if caller_of_tool.caller.capabilities.contains(&found.capability) {
            self.call(&request.name, request.arguments.unwrap_or_default(), &caller_of_tool).await
        } else {
            Err(ToolError::Tell(format!(
                "This key lacks the capability {}, which {} needs. The key's owner can grant it with a new key.",
                found.capability, request.name
            )))
        };
        match result {
            Ok(value) => Ok(CallToolResult::structured(value).into()),
            Err(ToolError::Tell(message)) => {
                Ok(CallToolResult::error(vec![ContentBlock::text(message)]).into())
            }
            Err(ToolError::Internal) => {
                Err(ErrorData::internal_error("The service failed; try again later", None))
            }
        }
    }
}

impl From<ApiError> for ToolError {
    fn from(error: ApiError) -> Self {
        let hint = match &error {
            ApiError::Internal(error) => {
                tracing::error!(%error, "internal error");
                return Self::Internal;
            }
            ApiError::AppNotFound => "search_apps tells the apps and their ids.",
            ApiError::AppNotConfigured => {
                "Nobody here can change that; search_apps with connectable: true tells which apps work."
            }
            ApiError::ConnectionDeleted => "list_connections tells this user's connections and their ids.",
            _ => "",
        };
        Self::Tell(format!("{error} ({}). {hint}", error.code()).trim_end().to_owned())
    }
}

/// The arguments as what the tool takes.
fn take<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, ToolError> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        ToolError::Tell(format!("The arguments do not fit the tool's input schema: {error}."))
    })
}

fn give(output: impl Serialize) -> Result<Value, ToolError> {
    serde_json::to_value(output).map_err(|_| ToolError::Internal)
}

fn caller_of_tool(context: &RequestContext<RoleServer>) -> Result<McpCaller, ErrorData> {
    let parts = context.extensions.get::<http::request::Parts>();
    parts
        .and_then(|parts| parts.extensions.get::<McpCaller>())
        .cloned()
        .ok_or_else(|| ErrorData::internal_error("The request was not let in", None))
}
